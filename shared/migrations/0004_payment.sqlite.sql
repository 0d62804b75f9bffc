-- Nothing in the ledger ever changes.

CREATE TRIGGER ledger_keeps BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER ledger_stays BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER ledger_seals_keep BEFORE UPDATE ON ledger_seals
BEGIN SELECT RAISE(ABORT, 'a seal stays'); END;
CREATE TRIGGER ledger_seals_stay BEFORE DELETE ON ledger_seals
BEGIN SELECT RAISE(ABORT, 'a seal stays'); END;
