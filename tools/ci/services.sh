#!/usr/bin/env bash
# The services tier runs the scalers against real brokers and databases. What is missing is installed where that is
# possible; a service that stays missing is named, and its suites skip themselves.
set -uo pipefail
cd "$(dirname "$0")/../.."

report=$(./tools/services/install.sh | tee /dev/stderr)
npm run --silent test:services
status=$?
# Once more at the end, where it is read.
sed -n 's/^services: MISSING /== services: SKIPPED /p' <<<"$report"
exit $status
