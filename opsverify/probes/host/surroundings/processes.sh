# shellcheck shell=sh
# Of a command line only what `mentioned` lets out.
[ -r /proc/net/tcp ] || { cat /proc/net/tcp; exit 1; }
s=$(listeners)
echo '== sockets'; printf '%s\n' "$s"
echo '== owners'
# shellcheck disable=SC2046 # inodes, one a line
o=$(owners $(printf '%s\n' "$s" | awk '{print $2}')); printf '%s\n' "$o"
[ "$(id -u)" != 0 ] || echo '== root'
for f in /run/*.pid /run/*/*.pid /var/run/*.pid; do
[ -f "$f" ] && [ -r "$f" ] && echo "== pidfile $(file_pid "$f") $f"; done
cat /proc/1/stat >/dev/null 2>&1 || echo '== denied processes of other accounts (hidepid)'
for d in /proc/[0-9]*; do
IFS= read -r stat < "$d/stat" || continue
p=${d#/proc/} rest=${stat##*) } comm=${stat#*\(}; comm=${comm%)*}
case $comm in
*node*|next*|MainThread|bun|deno|nginx|postgres|postmaster) ;;
*) case "
$o" in *"
$p "*) ;; *) continue;; esac;;
esac
# shellcheck disable=SC2086 # numbers
set -- $rest
case $1 in Z|X) continue;; esac
echo "== process $p $2 $(stat -c %U "$d") $comm"
sed -n 's/^[0-9]*:\(name=systemd\)\{0,1\}:\(.\)/cgroup \2/p' "$d/cgroup"
w=$(readlink "$d/cwd") && printf 'cwd %s\n' "$w"
set -f; IFS='
'
# shellcheck disable=SC2020,SC2046 # a line each; both become ends of lines
mentioned "$w" $(tr '\0 ' '\n\n' < "$d/cmdline") # a title is one argument
set +f; unset IFS
done 2>/dev/null
exit 0
