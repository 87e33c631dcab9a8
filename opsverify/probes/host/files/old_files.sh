# shellcheck shell=sh
folder=$1 pattern=$2 seconds=$3 shown=$4
folder "$folder"
now=$(date +%s); echo "== clock $now"; echo '== files'
found "$pattern" -depth | sort -n |
awk -v limit=$((now - seconds)) -v shown="$shown" '
{ n++; if ($1 + 0 < limit) old++; if (n <= shown) print }
END { print "== count " n + 0; print "== old " old + 0 }'
