# shellcheck shell=sh
folder "$1"; shift # what is left: where Prisma's migrations may be
for d do [ -d "$d" ] && break; d=; done
[ -n "$d" ] || { echo '== nomigrations'; exit 0; }
echo "== migrations $d"
cd "$d" || exit 1
ls . >/dev/null || exit 1
[ -e migration_lock.toml ] && echo '== lock'
echo '== sums'
if command -v sha256sum >/dev/null 2>&1; then h='sha256sum --'; sha256sum -- /dev/null >/dev/null 2>&1 || h=sha256sum
elif command -v openssl >/dev/null 2>&1; then h='openssl dgst -sha256 -r'
else h='shasum -a 256'; fi
set --
for m in */migration.sql; do [ -f "$m" ] && set -- "$@" "$m"; done
[ $# -eq 0 ] || $h "$@"
r=$?
# Line by line for the same files: with the line ends of Unix, and of Windows. A last line that has no end gets none.
cr=$(printf '\r')
echo '== ends'
for m do
[ -z "$(tail -c 1 < "$m")" ] && last= || last='$!'
unix=$(LC_ALL=C sed "${last}s/$cr\$//" < "$m" | $h) && windows=$(LC_ALL=C sed "${last}s/\$/$cr/" < "$m" | $h) || r=1
echo "${unix%% *} ${windows%% *}"
done
echo '== empty'
for m in */; do [ -d "$m" ] && [ ! -e "${m}migration.sql" ] &&
{ printf '%s' "${m%/}" | tr '\n' ' '; echo; }; done
echo '== end'
exit $r
