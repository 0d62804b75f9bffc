-- Who has blocked whom, and where people are, as cells of a grid. A location refers to the consent to it.

CREATE TABLE blocks (
  account_id TEXT NOT NULL, blocked_id TEXT NOT NULL, created_at BIGINT NOT NULL,
  CONSTRAINT blocks_account_id_blocked_id_unique PRIMARY KEY (account_id, blocked_id),
  CONSTRAINT blocks_others CHECK (account_id <> blocked_id),
  CONSTRAINT blocks_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT blocks_blocked FOREIGN KEY (blocked_id) REFERENCES accounts (id) ON DELETE CASCADE);

CREATE INDEX blocks_by_blocked ON blocks (blocked_id);

CREATE TABLE locations (
  account_id TEXT NOT NULL, purpose TEXT NOT NULL, cell BIGINT NOT NULL,
  x BIGINT NOT NULL, y BIGINT NOT NULL, z BIGINT NOT NULL, hidden BIGINT NOT NULL,
  moved_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  CONSTRAINT locations_account_id_unique PRIMARY KEY (account_id),
  CONSTRAINT locations_consent FOREIGN KEY (account_id, purpose)
    REFERENCES consents (account_id, purpose) ON DELETE CASCADE);

CREATE INDEX locations_by_cell ON locations (cell, account_id);
CREATE INDEX profiles_by_city ON profiles (city, account_id) WHERE city IS NOT NULL;
