# shellcheck shell=sh
only=$1 ignore=$2 pseudo=$3 network=$4 memory=$5 program=$6
plain() { # a mount point, unescaped
printf '%b' "$(printf '%s' "$1" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')"
}
look() {
m=$(plain "$2"; echo x); m=${m%x}
$B df -P -k -- "$m" >/dev/null 2>&1; s=$?
printf '%s\n' "== fs $1 $2 $3" "$($B df -P -k -- "$m" 2>&1)" "== status $s" "== inodes" \
"$($B df -P -i -- "$m" 2>/dev/null || $B df -i -- "$m" 2>/dev/null)"
}
# shellcheck disable=SC2010 # the complaint of ls is looked for, not a name
hidden() { ls -d -- "$(plain "$1")" 2>&1 | grep -q 'ermission denied'; } # no file: it may not be looked at
B=; timeout 1 true 2>/dev/null && B='timeout 3'; timeout -k 1 1 true 2>/dev/null && B='timeout -k 1 3'
echo '== mounts'
m=/proc/self/mounts; [ -r $m ] || m=/proc/mounts
f=/etc/fstab; [ -r $f ] || f=/dev/null
ONLY=$only IGNORE=$ignore awk -v pseudo="$pseudo" -v network="$network" -v memory="$memory" "$program" \
fstab=1 $f fstab=0 $m | {
while read -r where device mount type; do
if [ "$where" = far ]; then look "$device" "$mount" "$type" &
else [ "$type" = overlay ] || [ -d "$(plain "$mount")" ] || hidden "$mount" || continue
look "$device" "$mount" "$type"; fi
done; wait; }
echo '== end'
