#!/bin/sh
# Hands a message to the people on duty: here, the alert spool.
set -eu
ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
[ "$#" -gt 0 ] || { echo "usage: send-alert.sh MESSAGE" >&2; exit 2; }
printf '%s: %s\n' "$(LC_ALL=C date)" "$*" >> "$ROOT/var/spool/alerts"
