# shellcheck shell=sh
folder=$1 pattern=$2 depth=$3
folder "$folder"
echo "== clock $(date +%s)"
echo '== files'
listing "$pattern" "$depth"
echo '== end'
