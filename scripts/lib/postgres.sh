# A PostgreSQL server of our own, from Debian's package. Sourced after packages.sh, under `set -euo pipefail`.
#
# start_postgres FOLDER [NAME=VALUE...]  starts a server with these settings, on a port of its own on the
#                                        loopback address; makes its cluster if FOLDER has none. Sets
#                                        POSTGRES_HOST (ADDRESS:PORT) and POSTGRES_URL, to the database
#                                        `postgres` as its superuser
# open_application_role                  lets the application's role, which the migrations made, log in. Sets
#                                        POSTGRES_APPLICATION_URL
# stop_postgres                          ends it

start_postgres() {
  POSTGRES_FOLDER=$(realpath -m "$1")
  find_postgres || install_postgres
  choose_server_user
  if [ -d "$POSTGRES_FOLDER/data" ]; then
    # A script that was killed leaves its server behind.
    stop_postgres
  else
    make_cluster
  fi
  POSTGRES_HOST=127.0.0.1:$(choose_port)
  POSTGRES_URL=postgres://postgres:$(cat "$POSTGRES_FOLDER/password")@$POSTGRES_HOST/postgres
  start_server "${@:2}"
}

# The application is not the tables' owner: it cannot take the ledger's triggers away.
open_application_role() {
  local password=$POSTGRES_FOLDER/application-password
  [ -e "$password" ] || (umask 077 && head -c 24 /dev/urandom | od -A n -t x1 | tr -d ' \n' >"$password")
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$POSTGRES_URL" \
    <<<"ALTER ROLE chuangrenmai_application LOGIN PASSWORD '$(cat "$password")';"
  POSTGRES_APPLICATION_URL=postgres://chuangrenmai_application:$(cat "$password")@$POSTGRES_HOST/postgres
}

stop_postgres() {
  if [ -n "${POSTGRES_BIN:-}" ] && postgres_control status >/dev/null 2>&1; then
    postgres_control stop --silent --mode fast
  fi
}

# The version that made the cluster, or else the newest.
find_postgres() {
  local version
  version=$(cat "$POSTGRES_FOLDER/version" 2>/dev/null || true)
  POSTGRES_BIN=$(find "/usr/lib/postgresql/$version" -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$POSTGRES_BIN" ]
}

install_postgres() {
  local settings=/etc/postgresql-common/createcluster.conf
  # The package starts a server of its own unless it is told not to, before.
  if [ ! -e "$settings" ]; then
    install_packages postgresql-common || fail "no PostgreSQL, and apt-get cannot install postgresql"
    sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' "$settings"
  fi
  install_packages postgresql || fail "no PostgreSQL, and apt-get cannot install postgresql"
  find_postgres || fail "no PostgreSQL $(cat "$POSTGRES_FOLDER/version" 2>/dev/null) in /usr/lib/postgresql"
}

# The server refuses to run as root, so root hands it to the package's own user.
choose_server_user() {
  AS_SERVER_USER=()
  install -d -m 711 "$POSTGRES_FOLDER"
  [ "$(id -u)" = 0 ] || return 0
  AS_SERVER_USER=(setpriv --reuid postgres --regid postgres --init-groups)
  can_enter && return
  # A folder above it is closed to others, as /root is.
  AS_SERVER_USER+=(--inh-caps +dac_override --ambient-caps +dac_override)
  can_enter || fail "the user postgres cannot enter $POSTGRES_FOLDER"
}

can_enter() {
  # Not `test -x`, which does not see capabilities.
  as_server_user ls -d "$POSTGRES_FOLDER/." >/dev/null 2>&1
}

# From a folder that everyone can enter: the server begins by looking where it is.
as_server_user() {
  (cd / && "${AS_SERVER_USER[@]}" "$@")
}

postgres_control() {
  as_server_user "$POSTGRES_BIN/pg_ctl" --pgdata "$POSTGRES_FOLDER/data" "$@"
}

make_cluster() {
  local folder=$POSTGRES_FOLDER/new password=$POSTGRES_FOLDER/password
  echo "making a PostgreSQL cluster in $POSTGRES_FOLDER" >&2
  rm -rf "$folder"
  install -d -m 700 "$folder"
  install -m 600 /dev/null "$password"
  [ "$(id -u)" != 0 ] || chown postgres: "$folder" "$password"
  head -c 24 /dev/urandom | od -A n -t x1 | tr -d ' \n' >"$password"
  as_server_user "$POSTGRES_BIN/initdb" --pgdata "$folder" --username postgres --pwfile "$password" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 >/dev/null
  basename "$(dirname "$POSTGRES_BIN")" >"$POSTGRES_FOLDER/version"
  # Last, so that what is called data is whole.
  mv "$folder" "$POSTGRES_FOLDER/data"
}

# The port of last time, or a free one below those that the system itself hands out.
choose_port() {
  local port
  port=$(cat "$POSTGRES_FOLDER/port" 2>/dev/null || true)
  while [ -z "$port" ] || port_answers 127.0.0.1 "$port"; do
    port=$((20000 + RANDOM % 12000))
  done
  echo "$port" | tee "$POSTGRES_FOLDER/port"
}

port_answers() {
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# Without Unix sockets: their paths have a limit, which a folder's can pass.
start_server() {
  local setting options="-c listen_addresses=127.0.0.1 -c port=${POSTGRES_HOST#*:} -c unix_socket_directories="
  for setting in "$@"; do
    options+=" -c $setting"
  done
  postgres_control start --wait --silent --log "$POSTGRES_FOLDER/data/server.log" --options "$options" ||
    fail "PostgreSQL does not start: see $POSTGRES_FOLDER/data/server.log"
}
