#!/usr/bin/env bash
# `make run`: Mirage with a Railway of its own, an example applied to it, and both left running. Ctrl-C stops all.
set -euo pipefail

: "${MIRAGE:?path of the binary}" "${DATA_DIR:=.mirage}" "${EXAMPLE:=specs/examples/monorepo.yaml}" "${SPEED:=20}"
export MIRAGE_DATA_DIR="$DATA_DIR"

mkdir -p "$DATA_DIR" && chmod 700 "$DATA_DIR"
rm -f "$DATA_DIR/addresses.json"
"$MIRAGE" serve --simulate-railway --simulation-speed "$SPEED" &
server=$!
# However this ends, nothing is left running.
trap 'kill -TERM "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The server writes its addresses when it answers on them.
until [ -f "$DATA_DIR/addresses.json" ]; do
  if ! kill -0 "$server" 2>/dev/null; then
    wait "$server"
    exit 1
  fi
  sleep 0.1
done

echo
echo "Applying $EXAMPLE:"
"$MIRAGE" apply -f "$EXAMPLE" --wait || echo "(not ready; \`mirage describe\` says why)" >&2
echo
"$MIRAGE" get -o wide
cat <<TRY

Mirage stays up until Ctrl-C. In another terminal, from this folder:

  export PATH="$(dirname "$MIRAGE"):\$PATH"
  mirage get                                   # the table above, live
  mirage describe shop                         # conditions, services, ledger, events
  mirage plan -f $EXAMPLE    # nothing to do: Railway is as declared
  export KUBECONFIG=$DATA_DIR/kubeconfig && kubectl get environments -w

Edit $EXAMPLE and run \`mirage apply -f $EXAMPLE --wait\`, change something behind
Mirage's back (README.md, "drift"), or remove it all: \`mirage delete shop --wait\`.
TRY
wait "$server"
