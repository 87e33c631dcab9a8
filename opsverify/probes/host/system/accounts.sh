# shellcheck shell=sh
p=$(getent passwd 2>/dev/null || cat /etc/passwd) || exit 3
echo "== passwd"; printf '%s\n' "$p" | cut -d: -f 1,3,4,6,7 | sed 's/^/ /'
echo "== group"; (getent group 2>/dev/null || cat /etc/group) | cut -d: -f 1,3,4 | sed 's/^/ /'
if [ -r /etc/shadow ]; then echo "== shadow $(($(date +%s) / 86400))"
awk -F: '{ s = "set"; if ($2 == "") s = "empty"; else if ($2 ~ /^[!*]/) s = "locked"; print " " $1 ":" s ":" $8 }' \
/etc/shadow
fi
k=$(sed -n 's/^[[:space:]]*[Aa]uthorized[Kk]eys[Ff]ile[[:space:]=][[:space:]]*//p' \
/etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | head -n 1)
k=${k:-.ssh/authorized_keys .ssh/authorized_keys2}
echo '== keys'
printf '%s\n' "$p" | while IFS=: read -r user _ uid _ _ home shell; do
case ${shell##*/} in nologin|false|sync|halt|shutdown|true) continue;; esac
found=no
set -f; for f in $k; do
f=$(printf '%s' "$f" | sed "s|%h|$home|g; s|%u|$user|g; s|%U|$uid|g")
case $f in none) continue;; /*) ;; *) f=$home/$f;; esac
e=$(ls -d -- "$f" 2>&1) || { case $e in *ermission*) [ $found = yes ] || found=unknown;; esac; continue; }
[ -r "$f" ] || { [ $found = yes ] || found=unknown; continue; }
grep -q '^[[:space:]]*[^#[:space:]]' -- "$f" 2>/dev/null && found=yes
done; set +f
echo " $user:$found"
done
if ls -d /etc/sudoers >/dev/null 2>&1; then
set -- /etc/sudoers; [ -d /etc/sudoers.d ] && if ls /etc/sudoers.d >/dev/null 2>&1; then
for f in /etc/sudoers.d/*; do case ${f##*/} in *.*|*~|'*') ;; *) set -- "$@" "$f";; esac; done
else echo '== denied /etc/sudoers.d'; fi
for f; do if [ -r "$f" ]; then echo "== sudoers $f"; sed 's/^/ /' "$f"; else echo "== denied $f"; fi; done
fi
echo '== end'
