# shellcheck shell=sh
path=$1 patterns=$2; shift 2 # patterns: git's, one a line; what is left is a service, for `environment`
[ -n "$path" ] || exit 0
environment "$@"
checkout "$path"
n=$(printf '%s\n' "$patterns" | { set --; while IFS= read -r p; do set -- "$@" "$p"; done; repo ls-files -- "$@"; }) ||
exit 1
echo '== listed'
printf '%s\n' "$n" | while IFS= read -r f; do
{ [ -n "$f" ] && repo cat-file -e "HEAD:$f" 2>/dev/null; } || continue
printf '== published %s\n' "$f"; repo cat-file blob "HEAD:$f" | head -c 262144 | tr -d '\r' | sed 's/^/ /'; echo
done
echo '== end'
