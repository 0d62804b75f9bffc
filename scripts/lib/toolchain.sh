# Chooses how to build for wasm32-wasip1. Sourced by scripts that run under `set -euo pipefail`.
#
# Offers wasm_cargo: cargo for the components, in a target directory of its own.
# After sourcing, `cargo` is on PATH for native code too.

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WASM_TARGET=wasm32-wasip1
WASM_TARGET_DIR=$REPOSITORY/target/wasm
# rustup can wait minutes for a server that never answers: a failure is remembered, so that it costs time once.
RUSTUP_FAILED=$REPOSITORY/target/rustup-target-failed
. "$REPOSITORY/scripts/lib/packages.sh"

DEBIAN_PACKAGES=(rustc-web cargo-web rust-web-src rust-web-llvm wasi-libc)

# The package of the linker that Debian's rustc calls by the name rust-lld.
lld_package() {
  local linker
  if linker=$(readlink /usr/bin/rust-lld); then
    basename "$linker"
    return
  fi
  # Not there yet: the linker is of the LLVM that the compiler's tools depend on.
  apt-cache depends rust-web-llvm | sed -n 's/.*Depends: llvm-\([0-9]*\)$/lld-\1/p' | grep .
}

has_wasm_target() {
  command -v rustc >/dev/null && [ -d "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET/lib" ]
}

add_wasm_target() {
  command -v rustup >/dev/null && [ ! -e "$RUSTUP_FAILED" ] || return 1
  if timeout 20 rustup target add "$WASM_TARGET" >/dev/null 2>&1 && has_wasm_target; then
    return
  fi
  mkdir -p "$(dirname "$RUSTUP_FAILED")"
  touch "$RUSTUP_FAILED"
  return 1
}

ensure_debian_toolchain() {
  local missing lld
  mapfile -t missing < <(missing_packages "${DEBIAN_PACKAGES[@]}")
  if [ ${#missing[@]} -gt 0 ]; then
    install_packages "${missing[@]}" || return 1
  fi
  lld=$(lld_package) || return 1
  [ -z "$(missing_packages "$lld")" ] || install_packages "$lld"
}

ensure_native_toolchain() {
  local missing=()
  command -v cc >/dev/null || missing+=(build-essential)
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  command -v cargo >/dev/null || missing+=(cargo-web rustc-web)
  # cargo trusts the registry by them, and its package does not bring them.
  [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}" ||
    fail "not all there to compile with, and apt-get cannot install ${missing[*]}"
}

choose_wasm_toolchain() {
  if has_wasm_target || add_wasm_target; then
    WASM_TOOLCHAIN=target
    echo "Wasm toolchain: $(rustc --version) with its own $WASM_TARGET" >&2
  elif ensure_debian_toolchain; then
    WASM_TOOLCHAIN=debian
    echo "Wasm toolchain: Debian's $(/usr/bin/rustc --version), standard library from source" >&2
  else
    fail "cannot build for $WASM_TARGET: rustup cannot add the target, and apt-get cannot install ${DEBIAN_PACKAGES[*]}"
  fi
}

# A fresh instance's memory is cleared or copied whole, and Rust's stack of 1 MiB is most of it. A quarter
# is plenty: nothing of ours recurses but the JSON parser, which stops at 128 levels.
WASM_RUSTFLAGS="-C link-arg=-zstack-size=262144"

# cargo with the chosen toolchain. Give the subcommand first; the target is added.
wasm_cargo() {
  local subcommand=$1
  shift
  if [ "$WASM_TOOLCHAIN" = target ]; then
    RUSTFLAGS=$WASM_RUSTFLAGS CARGO_TARGET_DIR=$WASM_TARGET_DIR \
      cargo "$subcommand" --target "$WASM_TARGET" "$@"
  else
    # /usr/bin first: rustup's shims would hand Debian's cargo a compiler without the target's sources.
    PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 RUSTFLAGS="$WASM_RUSTFLAGS -L native=/usr/lib/wasm32-wasi" \
      CARGO_TARGET_DIR=$WASM_TARGET_DIR \
      /usr/bin/cargo "$subcommand" --target "$WASM_TARGET" -Zbuild-std=std,panic_abort "$@"
  fi
}

ensure_native_toolchain
choose_wasm_toolchain
