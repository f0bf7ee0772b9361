#!/usr/bin/env bash
# The browser tier needs a Chromium; on Debian it is installed from the system's packages, elsewhere it is looked for.
set -uo pipefail
cd "$(dirname "$0")/../.."

find_chromium() {
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}

if ! find_chromium >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "browser: installing Debian's chromium"
  apt-get update -qq >/dev/null 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null 2>&1 || true
fi
if ! chromium=$(find_chromium); then
  echo "== browser: SKIPPED: no Chromium found, and it cannot be installed here (set CHROMIUM=/path/to/it)"
  exit 0
fi
CHROMIUM=$chromium npm run --silent test:browser
