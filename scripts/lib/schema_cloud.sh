# The schema of a SQLite database in Fermyon Cloud. Sourced by scripts/migrate.

# shellcheck disable=SC2034 # scripts/migrate uses it
SCHEMA_DIALECT=sqlite

# schema_open DATABASE
schema_open() {
  CLOUD_DATABASE=$1
  command -v spin >/dev/null || fail "needs spin with its plugin cloud, logged in"
  cloud "$SCHEMA_MIGRATIONS"
}

# The command answers no rows, only whether a statement failed. This one does, by an integer overflow, where
# the row is not there.
schema_has() {
  cloud "SELECT abs(-9223372036854775808 + count(*)) FROM schema_migrations WHERE version = $1;" 2>/dev/null
}

schema_apply() {
  cloud "BEGIN IMMEDIATE; INSERT INTO schema_migrations (version) VALUES ($1);
$(cat "${@:2}")
COMMIT;"
}

cloud() {
  spin cloud sqlite execute --database "$CLOUD_DATABASE" "$1" >/dev/null
}
