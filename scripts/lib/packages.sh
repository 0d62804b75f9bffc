# Installs Debian packages where something is missing. Sourced by scripts that run under
# `set -euo pipefail`.

fail() {
  echo "error: $*" >&2
  exit 1
}

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || echo "$package"
  done
}

install_packages() {
  command -v apt-get >/dev/null || return 1
  echo "Installing Debian packages: $*" >&2
  if [ -z "${APT_UPDATED:-}" ]; then
    apt-get update -qq || return 1
    APT_UPDATED=1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# ensure_command COMMAND PACKAGE: installs PACKAGE if there is no COMMAND.
ensure_command() {
  command -v "$1" >/dev/null || install_packages "$2" || fail "no $1, and apt-get cannot install $2"
}
