-- Leaving, copies, requests, notices. An account that closes is hidden and locked until it goes; deletions,
-- copies and notices are work that is done in steps, so each has a row that says how far it came.

ALTER TABLE accounts ADD COLUMN closes_at BIGINT;
ALTER TABLE accounts ADD COLUMN frozen_at BIGINT;
CREATE INDEX accounts_by_closing ON accounts (closes_at) WHERE closes_at IS NOT NULL;
ALTER TABLE disclosures ADD COLUMN reference TEXT;

CREATE TABLE deletions (
  id TEXT NOT NULL, account_id TEXT, phone_hash BYTEA, person_key_id TEXT, pseudonym TEXT NOT NULL,
  began_at BIGINT NOT NULL, due_at BIGINT NOT NULL, finished_at BIGINT,
  CONSTRAINT deletions_id_unique PRIMARY KEY (id),
  CONSTRAINT deletions_account_id_unique UNIQUE (account_id));

CREATE INDEX deletions_by_finish ON deletions (finished_at, due_at);
CREATE INDEX deletions_by_key ON deletions (finished_at) WHERE person_key_id IS NOT NULL;

CREATE TABLE erasures (
  day BIGINT NOT NULL, person_key_id TEXT NOT NULL, what TEXT NOT NULL, noted_at BIGINT NOT NULL, closes_at BIGINT,
  CONSTRAINT erasures_day_person_key_id_what_unique PRIMARY KEY (day, person_key_id, what));

CREATE INDEX accounts_by_key ON accounts (person_key_id);

CREATE TABLE recipient_notices (
  id TEXT NOT NULL, recipient TEXT NOT NULL, content BYTEA NOT NULL, tries BIGINT NOT NULL,
  due_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
  CONSTRAINT recipient_notices_id_unique PRIMARY KEY (id));

CREATE INDEX recipient_notices_by_due ON recipient_notices (due_at);

CREATE TABLE exports (
  id TEXT NOT NULL, account_id TEXT NOT NULL, email BYTEA NOT NULL, status TEXT NOT NULL, step TEXT NOT NULL,
  parts BIGINT NOT NULL, token_hash BYTEA, created_at BIGINT NOT NULL, due_at BIGINT NOT NULL, ready_at BIGINT,
  downloaded_at BIGINT, expires_at BIGINT NOT NULL,
  CONSTRAINT exports_id_unique PRIMARY KEY (id),
  CONSTRAINT exports_token_hash_unique UNIQUE (token_hash),
  CONSTRAINT exports_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE);

CREATE UNIQUE INDEX exports_account_id_unique ON exports (account_id) WHERE status IN ('building', 'mailing');
CREATE INDEX exports_by_account ON exports (account_id, id);
CREATE INDEX exports_by_turn ON exports (status, due_at, id);
CREATE INDEX exports_by_expiry ON exports (expires_at);

CREATE TABLE export_parts (
  export_id TEXT NOT NULL, ordinal BIGINT NOT NULL, name TEXT NOT NULL, content BYTEA NOT NULL,
  missing TEXT, next TEXT NOT NULL,
  CONSTRAINT export_parts_export_id_ordinal_unique PRIMARY KEY (export_id, ordinal),
  CONSTRAINT export_parts_export FOREIGN KEY (export_id) REFERENCES exports (id) ON DELETE CASCADE);

CREATE TABLE requests (
  id TEXT NOT NULL, account_id TEXT, kind TEXT NOT NULL, reason TEXT, subject TEXT, text BYTEA NOT NULL,
  status TEXT NOT NULL, identity TEXT NOT NULL, received_at BIGINT NOT NULL, due_at BIGINT NOT NULL,
  calendar TEXT NOT NULL, alerted_at BIGINT, closed_at BIGINT, refusal TEXT, answer BYTEA,
  fee_fen BIGINT, fee_reason BYTEA, asked_hash BYTEA,
  untold_since BIGINT,
  CONSTRAINT requests_id_unique PRIMARY KEY (id),
  CONSTRAINT requests_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE SET NULL,
  CONSTRAINT requests_subject FOREIGN KEY (subject) REFERENCES accounts (id) ON DELETE SET NULL,
  CONSTRAINT requests_status CHECK (status IN ('open', 'answered', 'refused')));

CREATE INDEX requests_by_account ON requests (account_id, id);
CREATE INDEX requests_by_subject ON requests (subject);
CREATE INDEX requests_by_due ON requests (status, due_at, id);
CREATE INDEX requests_by_news ON requests (untold_since)
  WHERE untold_since IS NOT NULL AND account_id IS NOT NULL;

CREATE TABLE policy_versions (
  version TEXT NOT NULL, change TEXT NOT NULL, is_major BIGINT NOT NULL, narrows BIGINT NOT NULL,
  summary TEXT NOT NULL, text TEXT, published_at BIGINT NOT NULL, announced_at BIGINT,
  CONSTRAINT policy_versions_version_unique PRIMARY KEY (version));

INSERT INTO policy_versions (version, change, is_major, narrows, summary, published_at, announced_at)
  VALUES ('2023-10-25', 'first', 1, 0, '首个版本', 1698163200000, 1698163200000);

CREATE TABLE announcements (
  id TEXT NOT NULL, cause TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL, purpose TEXT, is_public BIGINT NOT NULL,
  audience TEXT NOT NULL, step TEXT NOT NULL, created_at BIGINT NOT NULL, delivered_at BIGINT,
  CONSTRAINT announcements_id_unique PRIMARY KEY (id),
  CONSTRAINT announcements_cause_unique UNIQUE (cause));

CREATE INDEX announcements_by_delivery ON announcements (delivered_at, id);
CREATE INDEX announcements_by_public ON announcements (id) WHERE is_public = 1;

CREATE TABLE notices (
  account_id TEXT NOT NULL, announcement_id TEXT NOT NULL, created_at BIGINT NOT NULL, read_at BIGINT,
  sms_status TEXT, sms_at BIGINT,
  CONSTRAINT notices_account_id_announcement_id_unique PRIMARY KEY (account_id, announcement_id),
  CONSTRAINT notices_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT notices_announcement FOREIGN KEY (announcement_id)
    REFERENCES announcements (id) ON DELETE CASCADE);

CREATE INDEX notices_by_announcement ON notices (announcement_id, account_id);
CREATE INDEX notices_by_sms ON notices (sms_status, sms_at) WHERE sms_at IS NOT NULL;

CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sms_codes_by_expiry ON sms_codes (expires_at);
CREATE INDEX rate_limits_by_end ON rate_limits (ends_at);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
CREATE INDEX locations_by_expiry ON locations (expires_at);
CREATE INDEX consent_events_by_account ON consent_events (account_id, id);
CREATE INDEX operator_audit_by_subject ON operator_audit (subject);
CREATE INDEX payment_notifications_by_time ON payment_notifications (last_at);

-- When an order or a refund is looked at next, though nobody asks; NULL is never. One refund of an order waits at a time.
ALTER TABLE orders ADD COLUMN look_at BIGINT;
ALTER TABLE refunds ADD COLUMN look_at BIGINT;
UPDATE orders SET look_at = expires_at WHERE status = 'pending';
UPDATE refunds SET look_at = created_at WHERE status = 'pending';
CREATE INDEX orders_by_look ON orders (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX refunds_by_look ON refunds (look_at) WHERE look_at IS NOT NULL;
CREATE UNIQUE INDEX refunds_order_id_unique ON refunds (order_id) WHERE status = 'pending';
