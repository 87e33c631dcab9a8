#!/bin/sh
# Runs in a host after its first boot, the statements for the database on standard input: fills the database, takes a
# backup with the release's own script, puts thirty earlier days beside it, and starts the periodic health check.
set -eu
until pg_isready --quiet --host=/var/run/postgresql; do sleep 0.05; done
runuser -u postgres -- psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --output=/dev/null
now=$(date +%s)
stamp() { date --date="@$((now - 3600 - $1 * 86400))" +"$2"; }
cd /backup/mycats
BACKUP_DATE=$(stamp 0 %Y%m%d_%H%M%S) runuser -u mycats -- \
    sh -c '/srv/mycats/scripts/backup.sh >> /var/log/mycats/backup.log 2>&1'
for day in $(seq 0 30); do
    name=$(stamp "$day" %Y%m%d_%H%M%S)
    [ "$day" -eq 0 ] || {
        cp --preserve=mode,ownership "db_$newest.sql" "db_$name.sql"
        cp --preserve=mode,ownership "app_$newest.tar.gz" "app_$name.tar.gz"
    }
    [ "$day" -ne 0 ] || newest=$name
    touch --date="$(stamp "$day" '%F %T')" "db_$name.sql" "app_$name.tar.gz"
done
weekly=/srv/mycats/backup/mycats_$(stamp 3 %Y%m%d).sql
cp --preserve=mode,ownership "db_$newest.sql" "$weekly"
touch --date="$(stamp 3 '%F %T')" "$weekly"
systemctl enable --quiet --now mycats-health.timer
