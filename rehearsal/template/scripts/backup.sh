#!/bin/sh
# Daily backup: a dump of the database and an archive of the application, kept for 30 days. Unlike a bare
# `pg_dump > file`, a failed run leaves nothing that looks like a backup.
set -eu
umask 077
ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source=/dev/null
. "$ROOT/etc/mycats/operations.conf"
DATE=${BACKUP_DATE:-$(date +%Y%m%d_%H%M%S)}
trap 'rm -f "$BACKUP_DIR/.db_$DATE.partial" "$BACKUP_DIR/.app_$DATE.partial"' EXIT

pg_dump --file "$BACKUP_DIR/.db_$DATE.partial"
mv "$BACKUP_DIR/.db_$DATE.partial" "$BACKUP_DIR/db_$DATE.sql"

tar -czf "$BACKUP_DIR/.app_$DATE.partial" \
    --exclude=node_modules --exclude=.git --exclude=.next --exclude='*.log' \
    -C "$ROOT/srv" mycats
mv "$BACKUP_DIR/.app_$DATE.partial" "$BACKUP_DIR/app_$DATE.tar.gz"

find "$BACKUP_DIR" \( -name 'db_*.sql' -o -name 'app_*.tar.gz' \) -mtime +30 -exec rm -f {} +
echo "Backup completed: $DATE"
