# The schema of a PostgreSQL database. Sourced by scripts/migrate.

# shellcheck disable=SC2034 # scripts/migrate uses it
SCHEMA_DIALECT=postgres

# schema_open URL
schema_open() {
  POSTGRES_URL=$1
  ensure_command psql postgresql-client
  # Two CREATE TABLE IF NOT EXISTS at once can still collide.
  postgres <<<"SELECT pg_advisory_xact_lock(hashtext('schema_migrations')); $SCHEMA_MIGRATIONS" >/dev/null
}

schema_has() {
  [ "$(postgres <<<"SELECT count(*) FROM schema_migrations WHERE version = $1;")" = 1 ]
}

schema_apply() {
  {
    # The URL may limit statements to what a request may take.
    echo "SET LOCAL statement_timeout = 0; INSERT INTO schema_migrations (version) VALUES ($1);"
    cat "${@:2}"
  } | postgres
}

# Statements from standard input, in one transaction.
postgres() {
  psql --no-psqlrc --quiet --tuples-only --no-align --single-transaction --set ON_ERROR_STOP=1 \
    --command 'SET client_min_messages = warning' --file - "$POSTGRES_URL"
}
