-- Accounts, their sessions and profiles. One text for SQLite and PostgreSQL: both know BIGINT, TEXT and
-- BYTEA. Times are milliseconds since 1970. SQLite parses all of this at every connection: keep it short.
-- Unique constraints are named <table>_<columns>_unique; the SQL door relies on it.

CREATE TABLE policy_consents (
  account_id TEXT NOT NULL, version TEXT NOT NULL, given_at BIGINT NOT NULL,
  CONSTRAINT policy_consents_account_id_version_unique UNIQUE (account_id, version));

CREATE TABLE accounts (
  id TEXT NOT NULL, phone_hash BYTEA NOT NULL, phone BYTEA NOT NULL, person_key_id TEXT NOT NULL,
  password_hash TEXT, policy_version TEXT NOT NULL, created_at BIGINT NOT NULL,
  CONSTRAINT accounts_id_unique PRIMARY KEY (id),
  CONSTRAINT accounts_phone_hash_unique UNIQUE (phone_hash),
  CONSTRAINT accounts_consented FOREIGN KEY (id, policy_version)
    REFERENCES policy_consents (account_id, version));

CREATE TABLE person_keys (
  id TEXT NOT NULL, wrapped_key BYTEA NOT NULL,
  CONSTRAINT person_keys_id_unique PRIMARY KEY (id));

CREATE TABLE devices (
  id TEXT NOT NULL, account_id TEXT NOT NULL, device_hash BYTEA NOT NULL,
  model TEXT NOT NULL, os TEXT NOT NULL, app_version TEXT NOT NULL,
  purpose TEXT NOT NULL, policy_version TEXT NOT NULL, first_seen_at BIGINT NOT NULL,
  CONSTRAINT devices_id_unique PRIMARY KEY (id),
  CONSTRAINT devices_account_id_device_hash_unique UNIQUE (account_id, device_hash),
  CONSTRAINT devices_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE);

CREATE TABLE sessions (
  id TEXT NOT NULL, account_id TEXT NOT NULL, device_id TEXT, token_hash BYTEA NOT NULL,
  created_at BIGINT NOT NULL, last_used_on BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  CONSTRAINT sessions_id_unique PRIMARY KEY (id),
  CONSTRAINT sessions_token_hash_unique UNIQUE (token_hash),
  CONSTRAINT sessions_device_id_unique UNIQUE (device_id),
  CONSTRAINT sessions_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT sessions_device FOREIGN KEY (device_id) REFERENCES devices (id) ON DELETE CASCADE);

CREATE INDEX sessions_by_account ON sessions (account_id, id);

CREATE TABLE sms_codes (
  phone_hash BYTEA NOT NULL, purpose TEXT NOT NULL, code_hash BYTEA NOT NULL, tries BIGINT NOT NULL,
  expires_at BIGINT NOT NULL, redeemed_at BIGINT, redeemer_hash BYTEA, plan BYTEA,
  CONSTRAINT sms_codes_phone_hash_purpose_unique PRIMARY KEY (phone_hash, purpose),
  CONSTRAINT sms_codes_five_tries CHECK (tries <= 5));

CREATE TABLE rate_limits (
  bucket BYTEA NOT NULL, taken BIGINT NOT NULL, allowed BIGINT NOT NULL, ends_at BIGINT NOT NULL,
  CONSTRAINT rate_limits_bucket_unique PRIMARY KEY (bucket),
  CONSTRAINT rate_limits_within CHECK (taken <= allowed));

CREATE TABLE idempotency_keys (
  id BYTEA NOT NULL, fingerprint BYTEA NOT NULL, taken_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  answer BYTEA,
  CONSTRAINT idempotency_keys_id_unique PRIMARY KEY (id));

CREATE TABLE disclosures (
  id TEXT NOT NULL, phone_hash BYTEA NOT NULL, recipient TEXT NOT NULL, purpose TEXT NOT NULL,
  data TEXT NOT NULL, basis TEXT NOT NULL, sent_at BIGINT NOT NULL,
  CONSTRAINT disclosures_id_unique PRIMARY KEY (id));

CREATE INDEX disclosures_by_person ON disclosures (phone_hash, id);

CREATE TABLE profiles (
  account_id TEXT NOT NULL, version BIGINT NOT NULL, hidden BIGINT NOT NULL,
  avatar TEXT, gender TEXT, real_name TEXT, company TEXT, job_title TEXT,
  motto TEXT, about TEXT, offers TEXT, needs TEXT, birthday TEXT, hometown TEXT, city TEXT,
  hobbies TEXT, industries TEXT, education TEXT,
  CONSTRAINT profiles_account_id_unique PRIMARY KEY (account_id),
  CONSTRAINT profiles_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE);
