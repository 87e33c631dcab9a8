# shellcheck shell=sh
pseudo=$1 network=$2
# dash's echo would read the backslashes of an escaped mount point.
say() { printf '== %s\n' "$*"; }
plain() { # a mount point, unescaped
printf '%b' "$(printf '%s' "$1" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')"
}
asked() { # MOUNT, escaped: the options that the unit of this mount asks for, if it has one
command -v systemctl >/dev/null 2>&1 || return
m=$(plain "$1"; echo x); u=$(systemd-escape -p --suffix=mount -- "${m%x}") || return
u=$(systemctl cat -- "$u" 2>/dev/null) || return
say unit "$1" "$(printf '%s\n' "$u" | sed -n 's/^Options=//p' | tail -n 1)"
}
B=; timeout 1 true 2>/dev/null && B='timeout 3'
[ -r /etc/fstab ] && awk '$1 !~ /^#/ && $2 ~ /^\// { print "== fstab", $2, $4 }' /etc/fstab
mounts | {
looked_at=' '
while read -r _ _ device mount type flags; do
case $type:$mount in overlay:/) ;; fuse.*) continue;; *)
case " $pseudo " in *" $type "*) continue;; esac;; esac
say mount "$device $mount $type${flags:+ $flags}"
case $flags in *ro*) asked "$mount";; esac
# What follows is the same for every mount of a file system; and a server may be away.
case $looked_at in *" $device "*) continue;; esac
case " $network " in *" $type "*) continue;; esac
looked_at="$looked_at$device "
b=/sys/dev/block/$device
if [ "$(cat "$b/ro" 2>/dev/null)" = 1 ] && { [ -d "$b/loop" ] || [ -d "$b/dm" ]; }; then echo "== image $device"; fi
e=/sys/fs/ext4/$(readlink "$b" | sed 's:.*/::')
if [ -r "$e/errors_count" ]; then echo "== errors $device $(cat "$e/errors_count") $(cat "$e/last_error_time")"; fi
# XFS has no option that would say so: once it is shut down, it answers nothing any more.
m=$(plain "$mount"; echo x); r=$($B ls -d -- "${m%x}" 2>&1 >/dev/null); s=$?
case $s in 124|143) say silent "$mount";; esac
case $r in *'nput/output error'*|*'I/O error'*) say down "$mount";; esac
done; }
for f in /proc/spl/kstat/zfs/*/state; do
if [ -r "$f" ]; then p=${f%/state}; echo "== pool ${p##*/} $(cat "$f")"; fi
done
echo '== end'
