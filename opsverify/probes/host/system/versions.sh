# shellcheck shell=sh
folders=$1 command=$2; shift 2 # what is left is what it is called with
[ -z "$folders" ] || PATH=$folders:$PATH
c=$(command -v "$command") || { echo '== missing'; exit 0; }
echo "== path $c"
echo '== version'
owner_of "$c"
owned "$c" "$@" 2>&1 | head -n 5
