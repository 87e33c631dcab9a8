#!/bin/sh
# Periodic health check of the active slot. Prints one line per check; exits 1 and alerts when one failed.
set -u
LC_ALL=C
export LC_ALL
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
. "$ROOT/etc/mycats/operations.conf"

case "$(cat "$ROOT/etc/active-slot")" in
    green) API_URL=$API_URL_GREEN ;;
    *) API_URL=$API_URL_BLUE ;;
esac

# Succeeds when the address answers 2xx. Node.js is there on every host of My Cats, curl need not be.
answers() {
    if command -v curl > /dev/null 2>&1; then
        curl -f -s -o /dev/null --max-time 10 "$1"
    else
        "$NODE" -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(10000) }).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "$1"
    fi
}

FAILED=0
if answers "$API_URL/health"; then
    echo "$(date): API Health OK"
else
    echo "$(date): API Health FAILED"
    "$HERE/send-alert.sh" "API Health Check Failed"
    FAILED=1
fi
if answers "$API_URL/api/v1/pedigrees?limit=1"; then
    echo "$(date): Database Connection OK"
else
    echo "$(date): Database Connection FAILED"
    "$HERE/send-alert.sh" "Database Connection Failed"
    FAILED=1
fi
exit "$FAILED"
