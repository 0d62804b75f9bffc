# A Redis server of our own, from Debian's package. Sourced after packages.sh and postgres.sh, under
# `set -euo pipefail`.
#
# start_redis FOLDER  starts a server that keeps nothing, on a port of its own on the loopback address; sets
#                     REDIS_URL
# stop_redis          ends it

start_redis() {
  local folder=$1 port
  # The package starts a server of its own unless it is told not to.
  if ! command -v redis-server >/dev/null; then
    printf '#!/bin/sh\nexit 101\n' >"$folder/policy-rc.d"
    chmod 755 "$folder/policy-rc.d"
    POLICYRCD=$folder/policy-rc.d install_packages redis-server || fail "no Redis, and apt-get cannot install it"
  fi
  port=$((20000 + RANDOM % 12000))
  while port_answers 127.0.0.1 "$port"; do
    port=$((20000 + RANDOM % 12000))
  done
  redis-server --bind 127.0.0.1 --port "$port" --dir "$folder" --save '' --appendonly no --daemonize yes \
    --pidfile "$folder/redis.pid" --logfile "$folder/redis.log" >/dev/null
  REDIS_URL=redis://127.0.0.1:$port
  until port_answers 127.0.0.1 "$port"; do
    kill -0 "$(cat "$folder/redis.pid")" 2>/dev/null || fail "Redis does not start: see $folder/redis.log"
  done
}

stop_redis() {
  if [ -n "${REDIS_URL:-}" ]; then
    redis-cli -u "$REDIS_URL" shutdown nosave 2>/dev/null || true
  fi
}
