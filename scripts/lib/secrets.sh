# Local secrets: made once, kept in a file that only its owner reads. Sourced by scripts that run under
# `set -euo pipefail`.

# Exports the secrets in FILE, after making those that it lacks: the application's key, and the token of the operator
# who asks for what is due. What is set from outside wins.
load_secrets() {
  local file=$1 line name
  [ -e "$file" ] || install -m 600 /dev/null "$file"
  grep -q '^SPIN_VARIABLE_APPLICATION_KEY=' "$file" ||
    echo "SPIN_VARIABLE_APPLICATION_KEY=$(head -c 32 /dev/urandom | base64 -w 0)" >>"$file"
  grep -q '^SCHEDULER_TOKEN=' "$file" ||
    echo "SCHEDULER_TOKEN=$(head -c 32 /dev/urandom | od -A n -t x1 | tr -d ' \n')" >>"$file"
  while read -r line; do
    name=${line%%=*}
    [ -n "${!name:-}" ] || export "$name=${line#*=}"
  done <"$file"
}
