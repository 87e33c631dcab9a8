# shellcheck shell=sh
# What a unit sets in its environment is not asked for, and of its command line only what `mentioned` lets out.
command -v systemctl >/dev/null 2>&1 || { echo '== nosystemd'; exit 0; }
set -- # names of the units that the administrator made: systemd need not have loaded them
for f in /etc/systemd/system/*.service /etc/systemd/system/*.timer /usr/local/lib/systemd/system/*.service \
/usr/local/lib/systemd/system/*.timer; do
case $f in *@.*) continue;; esac # templates cannot be shown by themselves
[ -f "$f" ] && [ ! -L "$f" ] && set -- "$@" "${f##*/}"
done
p=Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath,Type,MainPID,User,WorkingDirectory,Unit,EnvironmentFiles
[ -d /run/systemd/system ] || { echo '== nosystemd'; exit 0; } # sd_booted(3)
u=$(systemctl show -p "$p" -- '*.service' '*.timer' "$@") || exit 5
printf '%s\n' '== units' "$u"
# Of the units that run something of their own: what, and where to they write.
printf '%s\n' "$u" | awk -F= '
function done() { if (id ~ /[.]service$/ && load == "loaded" && !(id in seen)) { seen[id]; print id, file }; id = file = load = "" }
$0 == "" { done() } $1 == "Id" { id = $2 } $1 == "FragmentPath" { file = $2 } $1 == "LoadState" { load = $2 }
END { done() }' | grep -v ' /lib/systemd\| /usr/lib/systemd\| $' | while read -r unit file; do
echo "== command $unit"
folder=$(systemctl show -p WorkingDirectory --value -- "$unit")
command=$(systemctl show -p ExecStart --value -- "$unit" | sed -n 's/.*argv\[\]=\(.*\) ; ignore_errors=.*/\1/p')
set -f
# shellcheck disable=SC2086 # words
mentioned "${folder#[!]}" $command
set +f
if [ -r "$file" ]; then
sed -n 's/^Standard\(Output\|Error\)=\(append\|file\|truncate\):\(\/[^ ]*\)$/log \3/p' "$file" "/etc/systemd/system/$unit.d/"*.conf 2>/dev/null
else echo "== denied $file"; fi
done
exit 0
