# A PostgreSQL of our own: Debian's package, a cluster in a given folder, a port that nobody uses.
# Sourced after packages.sh, under `set -euo pipefail`.
#
# start_postgres FOLDER  sets POSTGRES_URL, to the database `postgres` as its superuser
# stop_postgres          ends the server that start_postgres started

postgres_bin() {
  local bin
  for bin in /usr/lib/postgresql/*/bin; do
    [ -x "$bin/initdb" ] && echo "$bin"
  done | sort -V | tail -n 1
}

# The server refuses to run as root, so root hands it to the package's own user.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 50); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  fail "no free port between 20000 and 29999"
}

start_postgres() {
  POSTGRES_FOLDER=$1
  if [ -z "$(postgres_bin)" ]; then
    install_packages postgresql || fail "no PostgreSQL, and apt-get cannot install postgresql"
  fi
  POSTGRES_BIN=$(postgres_bin)
  mkdir -p "$POSTGRES_FOLDER"
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$POSTGRES_FOLDER"
  fi
  # initdb and the server start where they can read: a home of root's is closed to them.
  pushd / >/dev/null
  if ! as_postgres test -e "$POSTGRES_FOLDER/PG_VERSION"; then
    as_postgres test -w "$POSTGRES_FOLDER" || fail "the user postgres cannot reach $POSTGRES_FOLDER"
    as_postgres "$POSTGRES_BIN/initdb" -D "$POSTGRES_FOLDER" -U postgres --auth=trust \
      --encoding=UTF8 --locale=C >/dev/null
  fi
  local port
  port=$(free_port)
  # On loopback alone; nothing but local programs of this machine can reach it.
  as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_FOLDER" -s -w -l "$POSTGRES_FOLDER/log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300" start
  popd >/dev/null
  POSTGRES_PORT=$port
  POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
}

stop_postgres() {
  if [ -n "${POSTGRES_PORT:-}" ]; then
    (cd / && as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_FOLDER" -s -m fast stop) || true
    POSTGRES_PORT=
  fi
}
