# shellcheck shell=sh
folder=$1 pattern=$2 most=$3
folder "$folder"
echo '== before'; listing "$pattern"
sleep 1
echo "== clock $(date +%s)"
l=$(listing "$pattern")
echo '== files'; [ -z "$l" ] || printf '%s\n' "$l"
echo '== open'
# shellcheck disable=SC2010,SC2154 # which files are open; `here` is set by folder
ls -l /proc/[0-9]*/fd 2>/dev/null | grep -F -- "-> $here/" | grep '^l.w'
printf '%s\n' "$l" | sort -rn | head -n "$most" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* //' |
while read -r f; do
[ -n "$f" ] || continue
if [ ! -r "$f" ]; then echo "== denied $f"; continue; fi
echo "== head $f"; head -c 4096 -- "$f" | od -An -v -tx1
echo "== tail $f"; tail -c 4096 -- "$f" | od -An -v -tx1
done
echo '== end'
