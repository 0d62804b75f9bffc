# Local secrets: made once, kept in a file that only its owner reads. Sourced by scripts that run under
# `set -euo pipefail`.

# Exports the secrets in FILE, after making those that it lacks. What is set from outside wins.
load_secrets() {
  local file=$1 line name
  [ -e "$file" ] || install -m 600 /dev/null "$file"
  make_secret "$file" SPIN_VARIABLE_APPLICATION_KEY
  make_secret "$file" POSTGRES_PASSWORD
  while read -r line; do
    name=${line%%=*}
    [ -n "${!name:-}" ] || export "$name=${line#*=}"
  done <"$file"
}

# make_secret FILE NAME
make_secret() {
  grep -q "^$2=" "$1" || echo "$2=$(random_secret)" >>"$1"
}

# 32 random bytes, in base64.
random_secret() {
  head -c 32 /dev/urandom | base64 -w 0
}
