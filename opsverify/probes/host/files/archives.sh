# shellcheck shell=sh
folder=$1 pattern=$2 HOLD=$3 BAN=$4; export HOLD BAN # HOLD, BAN: names, one a line
folder "$folder"
b=$(listing "$pattern"); sleep 1; a=$(listing "$pattern")
echo "== clock $(date +%s)"
# shellcheck disable=SC2010,SC2154 # which files are open; `here` is set by folder
open=$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -F -- "-> $here/" | grep '^l.w' | sed 's/^.* -> //')
l=$({ printf '%s\n' "$b" | sed 's/^/b/'; printf '%s\n' "$open" | sed 's/^/o/'
printf '%s\n' "$a" | sort -rn | sed 's/^/a/'
} | awk -v here="$here" '
/^b/ { same[substr($0, 2)] = 1 }
/^o/ { busy[substr($0, 2)] = 1 }
/^a./ { line = f = substr($0, 2); sub(/^[0-9]+ [0-9]+ [0-7]+ [^ ]+ [0-9]+ \.\//, "", f)
if ((line in same) && !((here "/" f) in busy)) { print line; exit } }')
[ -n "$l" ] || { echo '== none'; exit 0; }
echo '== file'; printf '%s\n' "$l"
f=$(printf '%s\n' "$l" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* //')
[ -r "$f" ] || { echo '== denied'; exit 0; }
n='nice -n 19'; ionice -c 3 true 2>/dev/null && n="$n ionice -c 3"
case $f in
*.gz|*.tgz) d='gzip -dc';; *.xz|*.txz) d='xz -dc';; *.zst) d='zstd -dc';; *.bz2) d='bzip2 -dc';; *) d='cat';;
esac
# GNU's tar tells blocks, and whether those that end an archive are there: that is surer than zeros at the end, which may
# be a file's.
r=; tar --version 2>/dev/null | grep -q 'GNU tar' && r=R
# What is unpacked goes two ways, to tar and to the look at its end. 4: our output, 5: the second way.
# shellcheck disable=SC2086 # a program and its options
{ { { $n $d < "$f" 4>&- 5>&-; printf '== unpack %s\n' "$?" >&4; } | tee /dev/fd/5 |
{ $n tar -t${r}f - 4>&- 5>&-; printf '== list %s\n' "$?" >&4; cat >/dev/null; } 5>&- | awk -v blocks="$r" '
BEGIN { h = split(ENVIRON["HOLD"], hold, "\n"); b = split(ENVIRON["BAN"], ban, "\n") }
blocks { sub(/^block [0-9]+: /, "")
if ($0 == "** Block of NULs **" || $0 == "** End of File **") { ended = ($0 ~ /NULs/); next } }
{ n++; p = "/" $0 "/"; gsub(/\/\/+/, "/", p)
for (i = 1; i <= h; i++) if (hold[i] != "" && !(i in held) && index(p, "/" hold[i] "/")) held[i] = 1
for (i = 1; i <= b; i++)
if (ban[i] != "" && !(i in banned) && index(p, "/" ban[i] "/")) banned[i] = $0 }
END { print "== members " n + 0; if (blocks && !ended) print "== unended"
 for (i in held) print "== held " hold[i]
for (i in banned) { print "== forbidden " ban[i]; print " " substr(banned[i], 1, 300) } }' >&4 5>&-
} 5>&1 | tail -c 1024 | od -An -v -tx1 | tr -d ' \n' | {
read -r z; [ ${#z} -eq 2048 ] && case $z in *[!0]*) ;; *) echo "== closed";; esac; } >&4
} 4>&1
echo '== end'
exit 0
