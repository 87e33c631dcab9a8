# shellcheck shell=sh
# Files that are logs: by where they lie, and by who holds them open.
for f in /var/log/nginx/*.log /var/log/postgresql/*.log /var/log/auth.log /var/log/secure /var/log/*/*.log; do
[ -f "$f" ] && printf '%s\n' "$f"; done | sort -u | sed -e '301s/.*/+/' -e 301q | while IFS= read -r f; do
[ "$f" != + ] || { echo '== denied more than 300 logs'; continue; }
if [ -r "$f" ]; then echo "== log $f"; else echo "== unreadable $f"; fi
done
for d in /var/log /var/log/*; do [ "$d" = /var/log/private ] || [ ! -d "$d" ] || { [ -r "$d" ] && [ -x "$d" ]; } || echo "== denied $d"; done
# shellcheck disable=SC2012 # names of open files
ls -l /proc/[0-9]*/fd 2>/dev/null | sed -n 's/^l.w.*-> \(\/.*[.]log\)$/== open \1/p' | sort -u | head -n 200
exit 0
