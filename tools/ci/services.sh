#!/usr/bin/env bash
# The services tier runs the scalers against real brokers and databases. What is missing is installed where that is
# possible; a service that stays missing is named, and its suites skip themselves.
set -uo pipefail
cd "$(dirname "$0")/../.."

# Not by tee to /dev/stderr, which empties the file that a log is written to.
report=$(./tools/services/install.sh 2>&1)
printf '%s\n' "$report"
npm run --silent test:services
status=$?
# Once more at the end, where it is read.
sed -n 's/^services: MISSING /== services: SKIPPED /p' <<<"$report"
exit $status
