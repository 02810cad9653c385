#!/usr/bin/env bash
# Installs what `make bench` compares with, as far as this machine allows. The tests do not need it.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

if ! have etcd && have apt-get && [ "$(id -u)" = 0 ]; then
  echo "etcd is missing, installing it" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || true
  apt-get install -y -qq --no-install-recommends etcd-server >/dev/null 2>&1 || true
fi

if ! have etcd; then
  echo "NOTE: etcd is not installed (Debian: etcd-server); Mirage's numbers stand alone." >&2
fi
