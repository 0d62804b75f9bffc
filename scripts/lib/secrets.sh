# Local secrets: made once, kept in a file that only its owner reads. Sourced by scripts that run under
# `set -euo pipefail`.

# Exports the secrets in FILE, after making those that it lacks. What is set from outside wins.
load_secrets() {
  local file=$1 line name
  [ -e "$file" ] || install -m 600 /dev/null "$file"
  grep -q '^SPIN_VARIABLE_APPLICATION_KEY=' "$file" ||
    echo "SPIN_VARIABLE_APPLICATION_KEY=$(head -c 32 /dev/urandom | base64 -w 0)" >>"$file"
  while read -r line; do
    name=${line%%=*}
    [ -n "${!name:-}" ] || export "$name=${line#*=}"
  done <"$file"
}
