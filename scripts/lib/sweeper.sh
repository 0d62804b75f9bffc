# Asks the application for what is due, once a minute: nothing runs in the background on Spin. Sourced by scripts
# that run under `set -euo pipefail`.

SWEEPER=

# start_sweeper BASE TOKEN: asks the application at BASE, with an operator's token, until end_sweeper.
start_sweeper() {
  set -m
  sweep_every_minute "$@" &
  SWEEPER=$!
  set +m
}

end_sweeper() {
  [ -n "$SWEEPER" ] || return 0
  kill -TERM -- "-$SWEEPER" 2>/dev/null || true
  wait "$SWEEPER" 2>/dev/null || true
  SWEEPER=
}

sweep_every_minute() {
  while sleep 60; do
    # curl has said why not.
    sweep_all "$@" || true
  done
}

# sweep_all BASE TOKEN: asks again while more is due. One call does a bounded part, and its answer ends by saying
# whether more is due. The token comes by standard input: everybody can read a command's arguments.
sweep_all() {
  local answer
  for _ in {1..20}; do
    answer=$(curl --silent --show-error --fail-with-body --max-time 50 --noproxy '*' --request POST --header @- \
      "$1/v1/internal/sweep" <<<"authorization: Bearer $2") || return
    [[ "$answer" == *'"more":true}' ]] || return 0
  done
}
