# shellcheck shell=sh
folder "$1"
echo "== stat $(stat -c '%a %U %u' .)"
echo '== room'; df -P -k .
mounts
