# shellcheck shell=sh
# Folders that are named as backups' are, and the names of what looks like one in them, newest first.
# shellcheck disable=SC2012 # patterns that match nothing are left out
ls -d /backup /backup/* /backups /backups/* /var/backups /var/backups/* /srv/backup* /srv/*/backup* /srv/*/*/backup* /opt/backup* /opt/*/backup* \
/home/*/backup* /var/lib/postgresql/backup* /var/lib/pgsql/backup* /mnt/backup* /mnt/*/backup* /data/backup* 2>/dev/null |
sort -u | sed -e '101s/.*/+/' -e 101q | while IFS= read -r d; do
[ "$d" != + ] || { echo '== denied more than 100 folders of backups'; continue; }
[ -d "$d" ] || continue
[ -r "$d" ] && [ -x "$d" ] || { echo "== denied $d"; continue; }
# shellcheck disable=SC2010,SC2012 # names, newest first; one with a line feed is none of a backup's
n=$(ls -1t -- "$d" 2>/dev/null | grep -E '[.](sql|dump|pgdump|backup|tar|tgz|zip)([.](gz|zst|xz|bz2|gpg))?$' | head -n 200)
[ -z "$n" ] || { echo "== backups $d"; printf '%s\n' "$n"; }
done
for d in /backup /backups /var/backups /srv /srv/* /srv/*/* /opt /opt/* /home /home/* /var/lib/postgresql /var/lib/pgsql /mnt /mnt/* /data; do
[ "${d##*/}" != lost+found ] && [ -d "$d" ] && { [ -r "$d" ] && [ -x "$d" ] || echo "== denied $d"; }
done
exit 0
