-- Nothing in the ledger ever changes, and the application's role does not own it.

CREATE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''% only grows'', TG_TABLE_NAME; END';
CREATE TRIGGER ledger_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
  FOR EACH STATEMENT EXECUTE FUNCTION only_grows();
CREATE TRIGGER ledger_seals_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seals
  FOR EACH STATEMENT EXECUTE FUNCTION only_grows();

-- Roles belong to the server: another database may have made it, and at this moment.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'chuangrenmai_application') THEN
    CREATE ROLE chuangrenmai_application NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO chuangrenmai_application;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO chuangrenmai_application;
REVOKE UPDATE, DELETE ON ledger, ledger_seals FROM chuangrenmai_application;
