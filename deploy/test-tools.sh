#!/usr/bin/env bash
# Installs what the tests use beside cargo, as far as this machine allows. A tool that stays missing is said loudly;
# the tests that need it then skip themselves, loudly too.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

if have kubectl; then
  exit 0
fi
if have apt-get && [ "$(id -u)" = 0 ]; then
  echo "kubectl is missing, installing it" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || true
  # Debian and Ubuntu call it kubernetes-client or kubectl, depending on the release.
  apt-get install -y -qq --no-install-recommends kubectl >/dev/null 2>&1 \
    || apt-get install -y -qq --no-install-recommends kubernetes-client >/dev/null 2>&1 \
    || true
fi
if ! have kubectl; then
  echo "NOTE: kubectl is not installed; the tests that drive Mirage with it are skipped." >&2
  echo "      https://kubernetes.io/docs/tasks/tools/ says how to install it." >&2
fi
