# shellcheck shell=sh
for f do
r=$(readlink -f -- "$f") || ls -d -- "$f" >/dev/null
echo "== checkout $r"
done
cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/^\([0-9]*\) (\(.*\)) \([A-Za-z]\) .*/\1 \3 \2/p' |
while read -r p state name; do
case $state in Z|X) continue;; esac
case $name in node|nodejs|node[0-9]*|node\ *|MainThread|next-server*) ;; *) continue;; esac
d=$(readlink "/proc/$p/cwd" 2>/dev/null)
c=$(tr '\0\n' '\n ' 2>/dev/null < "/proc/$p/cmdline" | head -n 20)
if [ -z "$d" ]; then # perhaps it has just ended
case $(tail -n 1 "/proc/$p/stat" 2>/dev/null | sed 's/.*) \([A-Za-z]\) .*/\1/') in ''|Z|X) continue;; esac
fi
echo "== process $p $name"
echo "cwd $d"
echo "command $(printf '%s\n' "$c" | head -n 2 | tr '\n' ' ')"
printf '%s\n' "$c" | sed 1d | {
relative=$d
while IFS= read -r f; do
case $f in
*[[:space:]]*|-*|'') f=;;
/*) ;;
*) f=${relative:+$relative/$f};;
esac
relative=
[ -z "$f" ] || { echo "file $f"; echo "file $(readlink -f -- "$f" 2>/dev/null)"; }
done; }
done
echo '== end'
