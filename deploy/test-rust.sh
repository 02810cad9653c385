#!/usr/bin/env bash
# The Rust tests. On a machine for CI, which may be slower than any before, tests that failed are run once more and named
# loudly: a test that needs it is to be mended, and does not hold up what has nothing to do with it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

[ -n "${CI:-}" ] || exec "$cargo" test --workspace --locked

# What lets a second build be quick is as large as the build, and here there is no second one.
export CARGO_INCREMENTAL=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$cargo" test --workspace --locked --no-fail-fast 2>&1 | tee "$log"; then
  exit 0
fi

# Cargo ends with a line for each target: `-p mirage-tests --test git`. Packages are left out: with one alone, its
# dependencies would have other features and be compiled again.
mapfile -t targets < <(sed -n 's/^    `-p [^ ]* \(--[a-z]*.*\)`$/\1/p' "$log")
mapfile -t tests < <(sed -n 's/^test \([^ ]*\) .*FAILED$/\1/p' "$log" | sort -u)
# A target that did not compile, or was killed, has no result. It is not among the tests and is not forgiven for them.
if [ "${#tests[@]}" -eq 0 ] || [ "$(grep -c '^test result: FAILED' "$log")" -ne "${#targets[@]}" ] ||
  printf '%s\n' "${targets[@]}" | grep -q -- '^--doc'; then
  exit 1
fi
mapfile -t targets < <(printf '%s\n' "${targets[@]}" | sort -u)
banner() {
  printf '==================================================================\n%s\n' "$1" >&2
  printf '  %s\n' "${tests[@]}" >&2
  printf '==================================================================\n' >&2
}
banner "FAILED, and tried once more:"
# Each target is an option and perhaps its value.
# shellcheck disable=SC2086
if ! "$cargo" test --workspace --locked --no-fail-fast ${targets[*]} -- --exact "${tests[@]}"; then
  exit 1
fi
banner "PASSED ONLY AT THE SECOND ATTEMPT, to be mended:"
