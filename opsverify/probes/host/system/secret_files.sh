# shellcheck shell=sh
unit=$1 files=$2 program=$3; shift 3 # what is left: paths
look() { # FILE: its permissions; none is opened
# shellcheck disable=SC2012 # the mark of an access list, which stat does not tell
if s=$(stat -L -c "%a %U %u %G" -- "$1" 2>&1); then
a=$(ls -Lld -- "$1" | cut -c 11); echo "== file $1"; echo "$s"; echo "${a:- }"
else echo "== lost $1"; echo "$s"; fi
}
for f do look "$f"; done
[ -z "$unit" ] || systemctl show -p LoadState -p Environment -- "$unit" 2>/dev/null | awk "$program"
# EnvironmentFiles=/etc/mycats.env (ignore_errors=no), a line for each; "yes" is one that may be missing.
# It may be a pattern: systemd.exec(5).
[ -z "$unit" ] || [ -z "$files" ] || systemctl show -p EnvironmentFiles -- "$unit" 2>/dev/null |
sed -n 's/^EnvironmentFiles=\(.*\) (ignore_errors=\(.*\))$/\2 \1/p' |
while IFS=' ' read -r optional pattern; do IFS=; for f in $pattern; do
# shellcheck disable=SC2010 # the complaint of ls is looked for, not a name
if [ "$optional" = no ] || ! ls -Ld -- "$f" 2>&1 | grep -q 'No such file'; then look "$f"; fi
done; done
echo '== end'
