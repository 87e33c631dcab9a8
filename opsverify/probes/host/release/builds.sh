# shellcheck shell=sh
checkout=$1 newest=$2; shift 2 # what is left: the file that proves it, where it may be
folder "$checkout"
for file do [ -f "$file" ] && break; done
[ -f "$file" ] || { ls -d "$1" >/dev/null; echo '== nofile'; exit 0; }
[ -n "$newest" ] || newest=$file
echo "== file $(stat -L -c '%s' "$file") $file"
echo "== built $(find "$newest" -type f -exec stat -c %Y {} + | sort -n | tail -n 1)"
