# shellcheck shell=sh
folder=$1 parent=$2
[ -d "$parent" ] && echo '== parent'
folder "$folder"
# Files that go away meanwhile make du complain and fail, and its sum is right all the same.
echo "== used $(du -sk . | sed 's/[^0-9].*//')"
