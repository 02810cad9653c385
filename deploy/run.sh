#!/usr/bin/env bash
# `make run`: Mirage with a Railway of its own, an example applied to it, and both left running. Ctrl-C stops all.
set -euo pipefail

: "${MIRAGE:?path of the binary}" "${DATA_DIR:=.mirage}" "${EXAMPLE:=specs/examples/monorepo.yaml}" "${SPEED:=20}"
export MIRAGE_DATA_DIR="$DATA_DIR"

mkdir -p "$DATA_DIR" && chmod 700 "$DATA_DIR"
log="$DATA_DIR/serve.log"
# A process group of its own: Ctrl-C reaches this script alone, which then stops the server once.
set -m
"$MIRAGE" serve --simulate-railway --simulation-speed "$SPEED" 2>"$log" &
server=$!
set +m
follower=
# However this ends, nothing is left running.
finish() {
  trap '' INT TERM
  if [ -n "$follower" ]; then kill -- "-$(ps -o pgid= -p "$follower" | tr -d ' ')" 2>/dev/null || true; fi
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The server writes its addresses, with its process id, when it answers on them.
until grep -q "\"pid\": $server" "$DATA_DIR/addresses.json" 2>/dev/null; do
  if ! kill -0 "$server" 2>/dev/null; then
    cat "$log" >&2
    exit 1
  fi
  sleep 0.1
done
grep -A10 'is up\.$' "$log"
# A terminal is shown the way in; a file is not.
if [ -t 1 ]; then
  http=$(sed -n 's/.*"http": "\(.*\)".*/\1/p' "$DATA_DIR/addresses.json")
  printf '  open %s/#token=%s\n\n' "$http" "$(cat "$DATA_DIR/admin.token")"
fi

echo "Applying $EXAMPLE:"
"$MIRAGE" apply -f "$EXAMPLE" --wait || echo "(not ready; \`mirage describe\` says why)" >&2
echo
"$MIRAGE" get -o wide
elsewhere=
if [ "$DATA_DIR" != .mirage ]; then
  elsewhere="  export MIRAGE_DATA_DIR=$DATA_DIR"$'\n'
fi
cat <<TRY

Mirage stays up until Ctrl-C. In another terminal, from this folder:

  export PATH="$(dirname "$MIRAGE"):\$PATH"
${elsewhere}  mirage get                                   # the table above, live
  mirage describe shop                         # conditions, services, ledger, events
  mirage plan -f $EXAMPLE    # nothing to do: Railway is as declared
  export KUBECONFIG=$DATA_DIR/kubeconfig && kubectl get environments -w

Edit $EXAMPLE and run \`mirage apply -f $EXAMPLE --wait\`, change something behind
Mirage's back (README.md, "drift"), or remove it all: \`mirage delete shop --wait\`.
TRY
echo "What is changed on Railway from now on (the whole log is $log):"
set -m
tail -n 0 -f "$log" | grep --line-buffered -v ' query operation=' &
follower=$!
set +m
wait "$server"
