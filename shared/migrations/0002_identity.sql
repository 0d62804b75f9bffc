-- Consents by purpose, verifications, uploads, and what operators did. What is held for a purpose refers to
-- the consent to it: withdrawing deletes the consent, and the schema lets the rest go with it.

CREATE TABLE consents (
  account_id TEXT NOT NULL, purpose TEXT NOT NULL, version TEXT NOT NULL, given_at BIGINT NOT NULL,
  CONSTRAINT consents_account_id_purpose_unique PRIMARY KEY (account_id, purpose),
  CONSTRAINT consents_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE);

CREATE TABLE consent_events (
  id TEXT NOT NULL, account_id TEXT NOT NULL, purpose TEXT NOT NULL, version TEXT NOT NULL,
  granted BIGINT NOT NULL, happened_at BIGINT NOT NULL,
  CONSTRAINT consent_events_id_unique PRIMARY KEY (id));

CREATE TABLE uploads (
  id TEXT NOT NULL, account_id TEXT, purpose TEXT, kind TEXT NOT NULL, content_type TEXT NOT NULL,
  size BIGINT NOT NULL, slot BIGINT, etag TEXT, created_at BIGINT NOT NULL, completed_at BIGINT,
  expires_at BIGINT,
  CONSTRAINT uploads_id_unique PRIMARY KEY (id),
  CONSTRAINT uploads_slot_unique UNIQUE (slot),
  CONSTRAINT uploads_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE SET NULL,
  CONSTRAINT uploads_consent FOREIGN KEY (account_id, purpose)
    REFERENCES consents (account_id, purpose) ON DELETE SET NULL);

CREATE INDEX uploads_by_account ON uploads (account_id, purpose);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

CREATE TABLE verification_claims (
  id TEXT NOT NULL, account_id TEXT NOT NULL, kind TEXT NOT NULL, purpose TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT, certify_id TEXT, asked_at BIGINT NOT NULL, expires_at BIGINT,
  opened_at BIGINT, alerted_at BIGINT, decided_at BIGINT,
  real_name TEXT, summary BYTEA NOT NULL, number_hash BYTEA, verified_hash BYTEA,
  CONSTRAINT verification_claims_id_unique PRIMARY KEY (id),
  CONSTRAINT verification_claims_certify_id_unique UNIQUE (certify_id),
  CONSTRAINT verification_claims_verified_hash_unique UNIQUE (verified_hash),
  CONSTRAINT verification_claims_holder
    CHECK ((verified_hash IS NOT NULL) = (kind = 'real-name' AND status = 'passed')),
  CONSTRAINT verification_claims_consent FOREIGN KEY (account_id, purpose)
    REFERENCES consents (account_id, purpose) ON DELETE CASCADE);

CREATE INDEX verification_claims_by_account ON verification_claims (account_id, purpose);
CREATE INDEX verification_claims_by_status ON verification_claims (status, id);
CREATE UNIQUE INDEX verification_claims_account_id_kind_unique
  ON verification_claims (account_id, kind) WHERE status = 'in_review';

CREATE TABLE verifications (
  id TEXT NOT NULL, account_id TEXT NOT NULL, kind TEXT NOT NULL, created_at BIGINT NOT NULL,
  CONSTRAINT verifications_id_unique PRIMARY KEY (id),
  CONSTRAINT verifications_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE);

CREATE INDEX verifications_by_account ON verifications (account_id, id);

CREATE TABLE verification_photos (
  upload_id TEXT NOT NULL, verification_id TEXT NOT NULL,
  CONSTRAINT verification_photos_upload_id_unique PRIMARY KEY (upload_id),
  CONSTRAINT verification_photos_upload FOREIGN KEY (upload_id) REFERENCES uploads (id) ON DELETE CASCADE,
  CONSTRAINT verification_photos_claim FOREIGN KEY (verification_id)
    REFERENCES verification_claims (id) ON DELETE CASCADE);

CREATE INDEX verification_photos_by_claim ON verification_photos (verification_id);

CREATE TABLE operator_audit (
  id TEXT NOT NULL, operator TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
  happened_at BIGINT NOT NULL,
  CONSTRAINT operator_audit_id_unique PRIMARY KEY (id));
