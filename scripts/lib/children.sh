# Long commands that a signal ends at once, with everything that they started. Sourced by scripts that run
# under `set -euo pipefail`.

CHILD=

# Starts a command in a process group of its own: a signal reaches it through end_child alone.
start_child() {
  set -m
  "$@" &
  CHILD=$!
  set +m
}

# Answers the child's status. Unlike a command in the foreground, `wait` lets a trap run at once.
wait_child() {
  local status=0
  wait "$CHILD" || status=$?
  CHILD=
  return "$status"
}

run() {
  start_child "$@"
  wait_child
}

# Ends the child and what it started, by force if it takes longer than ten seconds.
end_child() {
  [ -n "$CHILD" ] || return 0
  kill -TERM -- "-$CHILD" 2>/dev/null || true
  local tries=0
  while kill -0 -- "-$CHILD" 2>/dev/null; do
    if [ "$tries" = 100 ]; then
      kill -KILL -- "-$CHILD" 2>/dev/null || true
    fi
    tries=$((tries + 1))
    sleep 0.1
  done
  CHILD=
}
