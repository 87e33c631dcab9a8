#!/bin/sh
# Periodic health check of the active slot. Prints one line per check; exits 1 and alerts when one failed.
set -u
LC_ALL=C
export LC_ALL
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
# shellcheck source=/dev/null
. "$ROOT/etc/mycats/operations.conf"

case "$(cat "$ROOT/etc/active-slot")" in
    green) API_URL=$API_URL_GREEN ;;
    *) API_URL=$API_URL_BLUE ;;
esac

# What the address answers, if that is 2xx. Node.js is there on every host of My Cats, curl need not be.
answers() {
    if command -v curl > /dev/null 2>&1; then
        curl -f -s --max-time 10 "$1"
    else
        "$NODE" -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(10000) }).then(async (r) => { console.log(await r.text()); process.exitCode = r.ok ? 0 : 1; }, () => process.exit(1))' "$1"
    fi
}

FAILED=0
if answers "$API_URL/health" > /dev/null; then
    echo "$(date): API Health OK"
else
    echo "$(date): API Health FAILED"
    "$HERE/send-alert.sh" "API Health Check Failed"
    FAILED=1
fi
# Every data endpoint wants a login: the API itself says whether its database answers.
case $(answers "$API_URL/health") in
    *'"database":"ok"'*) echo "$(date): Database Connection OK" ;;
    *)
        echo "$(date): Database Connection FAILED"
        "$HERE/send-alert.sh" "Database Connection Failed"
        FAILED=1
        ;;
esac
exit "$FAILED"
