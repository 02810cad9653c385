#!/usr/bin/env bash
# The Rust tests. On a machine for CI, which may be slower than any before, targets that failed are run once more and named
# loudly: a test that needs it is to be mended, and does not hold up what has nothing to do with it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

[ -n "${CI:-}" ] || exec "$cargo" test --workspace --locked

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$cargo" test --workspace --locked --no-fail-fast 2>&1 | tee "$log"; then
  exit 0
fi

# Cargo ends with a line for each: `-p mirage-tests --test git_syncs`. Packages are left out: with one alone, its
# dependencies would have other features and be compiled again.
mapfile -t failed < <(sed -n 's/^    `-p [^ ]* \(--[a-z]*.*\)`$/\1/p' "$log" | sort -u)
if [ "${#failed[@]}" -eq 0 ] || printf '%s\n' "${failed[@]}" | grep -q -- '^--doc'; then
  exit 1
fi
banner() {
  printf '==================================================================\n%s\n' "$1" >&2
  printf '  %s\n' "${failed[@]}" >&2
  printf '==================================================================\n' >&2
}
banner "FAILED, and tried once more:"
# Each is an option and perhaps its value.
# shellcheck disable=SC2086
if ! "$cargo" test --workspace --locked --no-fail-fast ${failed[*]}; then
  exit 1
fi
banner "PASSED ONLY AT THE SECOND ATTEMPT, to be mended:"
