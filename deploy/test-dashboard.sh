#!/usr/bin/env bash
# The dashboard's tests: types, its logic, then journeys on the real binary with a simulated Railway in a real
# browser. What is not at hand is said loudly, and its tests are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
  echo "NOTE: $1; $2" >&2
  exit 0
}

[ -d dashboard/node_modules ] || skip "the dashboard was not built, which takes Node 20.19 or later" "it is not tested."
(cd dashboard && npm run --silent check && npm run --silent test)

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$browser" ] || skip "Chromium is not installed" "the dashboard's journeys are skipped."
# `deploy/test-rust.sh` has built it before `make test` comes here, and names it: another build would have other features
# and compile half of the tree again.
if [ -z "${MIRAGE_BINARY:-}" ]; then
  "${CARGO:-cargo}" build --locked -p mirage
  MIRAGE_BINARY=$("${CARGO:-cargo}" metadata --no-deps --offline --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/mirage
fi
cd dashboard
MIRAGE_BINARY="$MIRAGE_BINARY" CHROMIUM="$browser" npx --no-install playwright test "$@"
