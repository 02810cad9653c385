#!/usr/bin/env bash
# Installs what the tests use beside cargo, as far as this machine allows. A tool that stays missing is said loudly;
# the tests that need it then skip themselves, loudly too.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

# Debian keeps the server's programs apart from those that everybody calls.
have_postgres() { have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }

# The first of the packages that this system knows by that name.
install_one_of() {
  local package
  have apt-get && [ "$(id -u)" = 0 ] || return 0
  echo "$1 is missing, installing it" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || true
  for package in "$@"; do
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 && return 0
  done
  return 0
}

# Debian and Ubuntu call it kubernetes-client or kubectl, depending on the release.
have kubectl || install_one_of kubectl kubernetes-client
have_postgres || install_one_of postgresql

if ! have kubectl; then
  echo "NOTE: kubectl is not installed; the tests that drive Mirage with it are skipped." >&2
  echo "      https://kubernetes.io/docs/tasks/tools/ says how to install it." >&2
fi
if ! have_postgres; then
  echo "NOTE: PostgreSQL is not installed; the tests of the PostgreSQL store are skipped." >&2
  echo "      https://www.postgresql.org/download/ says how to install it." >&2
fi
