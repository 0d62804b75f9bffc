-- Coins: orders, what the payment institutions say of them, and the ledger. What the law keeps for three years
-- names a holder, who leads to an account only through wallets.

CREATE TABLE wallets (
  account_id TEXT NOT NULL, holder TEXT NOT NULL, created_at BIGINT NOT NULL,
  CONSTRAINT wallets_account_id_unique PRIMARY KEY (account_id),
  CONSTRAINT wallets_holder_unique UNIQUE (holder),
  CONSTRAINT wallets_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE);

CREATE TABLE orders (
  id TEXT NOT NULL, holder TEXT NOT NULL, request TEXT NOT NULL, package TEXT NOT NULL,
  coins BIGINT NOT NULL, amount_fen BIGINT NOT NULL, channel TEXT NOT NULL, product TEXT,
  status TEXT NOT NULL, provider_id TEXT, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, asked_at BIGINT NOT NULL,
  paid_at BIGINT, refund_reversed_at BIGINT,
  CONSTRAINT orders_id_unique PRIMARY KEY (id),
  CONSTRAINT orders_request_unique UNIQUE (request),
  CONSTRAINT orders_channel_provider_id_unique UNIQUE (channel, provider_id),
  CONSTRAINT orders_price CHECK (coins > 0 AND amount_fen > 0),
  CONSTRAINT orders_status CHECK (status IN ('pending', 'paid', 'closed')));

CREATE INDEX orders_by_holder ON orders (holder, id);

CREATE TABLE refunds (
  id TEXT NOT NULL, order_id TEXT NOT NULL, ordinal BIGINT NOT NULL, number TEXT NOT NULL,
  fen BIGINT NOT NULL, coins BIGINT NOT NULL, status TEXT NOT NULL,
  happened_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
  CONSTRAINT refunds_id_unique PRIMARY KEY (id),
  CONSTRAINT refunds_order_id_ordinal_unique UNIQUE (order_id, ordinal),
  CONSTRAINT refunds_order_id_number_unique UNIQUE (order_id, number),
  CONSTRAINT refunds_order FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT refunds_price CHECK (fen > 0 AND coins >= 0),
  CONSTRAINT refunds_status CHECK (status IN ('pending', 'succeeded', 'failed')));

CREATE TABLE ledger (
  reference TEXT NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL, number BIGINT,
  amount BIGINT NOT NULL, balance BIGINT, debt BIGINT, created_at BIGINT NOT NULL,
  CONSTRAINT ledger_reference_kind_unique PRIMARY KEY (reference, kind),
  CONSTRAINT ledger_amount CHECK (amount <> 0),
  CONSTRAINT ledger_balance CHECK (balance >= 0),
  CONSTRAINT ledger_debt CHECK (debt >= 0 AND (debt = 0 OR balance = 0)),
  CONSTRAINT ledger_house CHECK ((account = 'house') = (number IS NULL)
    AND (number IS NULL) = (balance IS NULL) AND (number IS NULL) = (debt IS NULL)));

CREATE UNIQUE INDEX ledger_account_number_unique ON ledger (account, number) WHERE number IS NOT NULL;
CREATE INDEX ledger_by_time ON ledger (created_at, reference, kind);

CREATE TABLE ledger_seals (
  day TEXT NOT NULL, entries BIGINT NOT NULL, digest TEXT NOT NULL, seal TEXT NOT NULL,
  sealed_at BIGINT NOT NULL,
  CONSTRAINT ledger_seals_day_unique PRIMARY KEY (day));

CREATE TABLE gifts (
  id TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL, gift TEXT, note TEXT, target TEXT,
  created_at BIGINT NOT NULL,
  CONSTRAINT gifts_id_unique PRIMARY KEY (id),
  CONSTRAINT gifts_sender FOREIGN KEY (sender) REFERENCES wallets (holder) ON DELETE CASCADE,
  CONSTRAINT gifts_recipient FOREIGN KEY (recipient) REFERENCES wallets (holder) ON DELETE CASCADE);

CREATE INDEX gifts_by_sender ON gifts (sender);
CREATE INDEX gifts_by_recipient ON gifts (recipient);

CREATE TABLE payment_notifications (
  channel TEXT NOT NULL, notification_id TEXT NOT NULL, order_id TEXT, verdict TEXT NOT NULL,
  content TEXT NOT NULL, deliveries BIGINT NOT NULL, received_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
  CONSTRAINT payment_notifications_channel_notification_id_unique PRIMARY KEY (channel, notification_id));

CREATE TABLE payment_anomalies (
  id TEXT NOT NULL, channel TEXT NOT NULL, notification_id TEXT NOT NULL, reason TEXT NOT NULL,
  order_id TEXT, content TEXT NOT NULL, created_at BIGINT NOT NULL,
  CONSTRAINT payment_anomalies_id_unique PRIMARY KEY (id),
  CONSTRAINT payment_anomalies_channel_notification_id_reason_unique
    UNIQUE (channel, notification_id, reason));
