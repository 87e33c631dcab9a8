# shellcheck shell=sh
# Of each line its times, what `mentioned` lets out, and the files that its output goes to.
entries() { # FILE SYSTEM: its lines; those of a system's crontab name an account
set -f
while IFS= read -r line; do
# shellcheck disable=SC2086 # words
set -- $line
case $1 in ''|'#'*) continue;; esac
case $1 in @*) w=$1; shift;; [0-9*]*) [ $# -gt 5 ] || continue; w="$1 $2 $3 $4 $5"; shift 5;; *) continue;; esac
echo "== job $file"; printf 'when %s\n' "$w"; at='' last=''
for word do
case $last in
cd) case $word in /*) at=${word%\;};; esac;;
*'>') case $word in /*) printf 'log %s\n' "$word";; esac;;
esac
case $word in '>'*/*|1'>'*/*) printf 'log %s\n' "${word#"${word%%/*}"}";; 2'>'*|*'>>'|*'>') ;; *) mentioned "$at" "$word";; esac
last=$word; done
done; set +f; }
for file in /etc/crontab /etc/cron.d/* /var/spool/cron/crontabs/* /var/spool/cron/*; do
[ -f "$file" ] || continue
if [ -r "$file" ]; then entries < "$file"; else echo "== denied $file"; fi
done
for d in /var/spool/cron/crontabs /var/spool/cron /etc/cron.d /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly; do [ ! -d "$d" ] || [ -r "$d" ] || echo "== denied $d"; done
if [ ! -r /var/spool/cron/crontabs ]; then
t=$(crontab -l 2>/dev/null) && { file="crontab of $(id -un)"; printf '%s\n' "$t" | entries; }
fi
for f in /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/*; do
[ -f "$f" ] && { echo "== job ${f%/*}"; printf 'word %s\n' "$f"; }
done
exit 0
