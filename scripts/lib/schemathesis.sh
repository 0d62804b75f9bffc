# The tool that tries the API against its OpenAPI document. Sourced by scripts that run under
# `set -euo pipefail`, after packages.sh and children.sh.

# Sets SCHEMATHESIS to its executable, after installing it from PyPI below target/ if need be.
ensure_schemathesis() {
  local version=4.32.5
  local environment=$PWD/target/schemathesis-$version
  SCHEMATHESIS=$environment/bin/schemathesis
  [ ! -x "$SCHEMATHESIS" ] || return 0
  echo "installing schemathesis $version from PyPI" >&2
  rm -rf "$environment"
  local python=python3
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    install_packages python3 python3-venv || fail "no python3 with venv, and apt-get cannot install it"
    python=/usr/bin/python3
  fi
  "$python" -m venv "$environment"
  run "$environment/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
}
