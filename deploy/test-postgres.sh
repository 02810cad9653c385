#!/usr/bin/env bash
# A PostgreSQL server for one run of tests, on a unix socket in a folder of its own. Prints the folder when the server
# is ready, and ends it and removes everything when stdin is closed: so the server goes with the tests, however they end.
# A line "crash" on stdin makes the server die without tidying anything and start again; "up" is printed when it is back.
# Without a PostgreSQL on this machine: exit status 3.
set -euo pipefail

if [ "$(id -u)" = 0 ] && [ "${1:-}" != as-other ]; then
  # PostgreSQL refuses to run as root.
  for user in postgres nobody; do
    if id "$user" >/dev/null 2>&1; then
      exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups \
        env HOME=/tmp bash -c "$(cat "$0")" "$0" as-other
    fi
  done
  echo "there is no user but root to run PostgreSQL as" >&2
  exit 3
fi

bin=$(dirname "$(readlink -f "$(command -v initdb || echo none)")")
if [ ! -x "$bin/initdb" ]; then
  # Debian keeps the programs of each version apart.
  bin=$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -V | tail -n 1 || true)
fi
if [ ! -x "$bin/initdb" ] || [ ! -x "$bin/postgres" ]; then
  echo "no initdb and postgres on this machine" >&2
  exit 3
fi

cd /tmp
folder=$(mktemp -d /tmp/mirage-postgres.XXXXXX)
server=
finish() {
  if [ -n "$server" ]; then
    # Fast shutdown: nobody's work is waited for.
    kill -INT "$server" 2>/dev/null || true
    wait "$server" || true
  fi
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

new_database() {
  "$bin/initdb" -D "$folder/data" -U mirage -A trust -E UTF8 --no-sync "$@" >"$folder/initdb.log" 2>&1
}
# A language whose order is not that of bytes, where the server can: our keys must not follow it.
new_database --locale-provider=icu --icu-locale=en-US --locale=C || { rm -rf "$folder/data"; new_database --locale=C; } \
  || { cat "$folder/initdb.log" >&2; exit 1; }

start() {
  "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=400 -c shared_buffers=32MB -c autovacuum=off >>"$folder/server.log" 2>&1 </dev/null &
  server=$!
  # The server says in this file how far it is.
  until grep -q '^ready' "$folder/data/postmaster.pid" 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { cat "$folder/server.log" >&2; exit 1; }
    sleep 0.05
  done
}
start
echo "$folder"
# Until whoever started this is gone.
while read -r order; do
  if [ "$order" = crash ]; then
    # Immediate shutdown: sessions are cut off, and the next start recovers from the log.
    kill -QUIT "$server"
    wait "$server" || true
    rm -f "$folder/data/postmaster.pid"
    start
    echo up
  fi
done
