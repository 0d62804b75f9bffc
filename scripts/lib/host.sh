# What serves the components: the official Spin where it is installed, else the stand-in host. Sourced by
# scripts that run under `set -euo pipefail`.

# Sets HOST to the command that serves, up to its --listen and --state-dir, and builds it if need be.
choose_host() {
  # Another program is called spin, too.
  if [[ "$(spin --version 2>/dev/null || true)" =~ ^spin\ [2-9]\. ]]; then
    HOST=(spin up --from spin.toml)
    return
  fi
  [ -x target/native/stand-in-host ] ||
    echo "there is no spin: building the stand-in host, which takes minutes the first time" >&2
  run cargo build --quiet --profile native --workspace --bin stand-in-host
  HOST=(target/native/stand-in-host --manifest spin.toml)
}
