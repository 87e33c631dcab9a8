# shellcheck shell=sh
# shellcheck disable=SC2154 # crontab_awk: the text of crontab.awk
t=$1
has() { grep -v '^[[:space:]]*#' | grep -qF -- "$t"; }
daemons='cron|crond|fcron|mcron|bcron-sched|supercronic'
runs() { # whether a scheduler of crontabs runs: "running", "stopped", or nothing where that cannot be seen
# A unit is the host's own, where a process may be that of some container on it. cron.target: systemd-cron has no daemon.
u=$(systemctl show -p LoadState,ActiveState -- cron.service crond.service cronie.service fcron.service cron.target 2>/dev/null |
tr '\n' ' ')
case $u in
*'LoadState=loaded ActiveState=active'*|*'ActiveState=active LoadState=loaded'*) echo running; return;;
*LoadState=loaded*) echo stopped; return;;
esac
if cat /proc/[0-9]*/stat 2>/dev/null | grep -qE "^[0-9]+ \(($daemons)\) [^ZXTt]"; then echo running
elif cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -qE '(^|[ /])busybox crond '; then echo running
# Where /proc hides those of others (hidepid), it hides the first.
elif cat /proc/1/stat >/dev/null 2>&1; then echo stopped
fi
}
refused() { # FILE: why Debian's cron leaves a file of root's alone; cron(8), and what its log says of it
[ -e /etc/debian_version ] || return
case $1 in /etc/anacrontab) return;; /etc/cron.d/*) case ${1##*/} in *[!A-Za-z0-9_-]*) echo 'its name has other characters than A-Z a-z 0-9 _ -';; esac;; esac
[ "$(stat -L -c %u -- "$1")" = 0 ] || echo 'it is not owned by root'
[ -z "$(find -L "$1" -perm /022 2>/dev/null)" ] || echo 'others than its owner may write to it'
[ -z "$(tail -c 1 -- "$1" 2>/dev/null)" ] || echo 'its last line does not end with a line feed'
unread 1 "$1"
}
unread() { # SYSTEM FILE: why Debian's cron cannot read a crontab, and so ignores all of it
# Others, as cronie and systemd-cron, leave out the line only.
[ -e /var/lib/dpkg/info/cron.list ] || return
awk -v system_crontab="$1" "$crontab_awk" "$2" 2>/dev/null | while read -r k v; do case $k in
line) echo "cron cannot read its line $v";;
user) id -u -- "$v" >/dev/null 2>&1 || echo "there is no user $v";;
esac; done
}
for f in /etc/crontab /etc/cron.d/* /var/spool/cron/crontabs/* /var/spool/cron/* /etc/anacrontab; do
[ -f "$f" ] || continue
if [ ! -r "$f" ]; then echo "== hidden $f"; continue; fi
has < "$f" || continue
r=; case $f in /etc/*) r=$(refused "$f" | head -n 1);; */crontabs/*) r=$(unread 0 "$f" | head -n 1);; esac
if [ -n "$r" ]; then echo "== refused $f: $r"; else echo "== place $f"; fi
done
for d in hourly daily weekly monthly; do
d=/etc/cron.$d; [ -d "$d" ] || continue
would=$(run-parts --test "$d" 2>/dev/null)
for f in "$d"/*; do
[ -f "$f" ] || continue
case ${f##*/} in *"$t"*) ;; *) has 2>/dev/null < "$f" || continue;; esac
if printf '%s\n' "$would" | grep -qxF -- "$f"; then echo "== place $f"
elif command -v run-parts >/dev/null 2>&1; then echo "== refused $f: run-parts leaves it out (its name, or no x)"
else echo "== place $f"; fi
done; done
for d in /var/spool/cron/crontabs /var/spool/cron; do [ -d "$d" ] && [ ! -r "$d" ] && echo "== hidden $d"; done
crontab -l 2>/dev/null | has && echo "== place crontab of $(id -un)"
echo "== daemon $(runs)"
echo '== end'
