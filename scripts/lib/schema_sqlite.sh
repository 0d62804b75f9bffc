# The schema of a SQLite file. Sourced by scripts/migrate.

# shellcheck disable=SC2034 # scripts/migrate uses it
SCHEMA_DIALECT=sqlite

# schema_open [FILE]
schema_open() {
  SQLITE_FILE=${1:-.spin/sqlite_db.db}
  ensure_command sqlite3 sqlite3
  mkdir -p "$(dirname "$SQLITE_FILE")"
  # Spin opens its database in rollback-journal mode, where readers and writers wait for each other. The
  # file remembers the mode.
  sqlite <<<"PRAGMA journal_mode = WAL; $SCHEMA_MIGRATIONS" >/dev/null
}

schema_has() {
  [ "$(sqlite <<<"SELECT count(*) FROM schema_migrations WHERE version = $1;")" = 1 ]
}

schema_apply() {
  {
    echo "BEGIN IMMEDIATE; INSERT INTO schema_migrations (version) VALUES ($1);"
    cat "${@:2}"
    echo "COMMIT;"
  } | sqlite
}

sqlite() {
  sqlite3 -batch -bail -cmd '.timeout 30000' "$SQLITE_FILE"
}
