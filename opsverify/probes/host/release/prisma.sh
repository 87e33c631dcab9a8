# shellcheck shell=sh
folder "$1"; shift # what is left: where the schema may be
for s do [ -f "$s" ] && break; s=; done
[ -n "$s" ] || { echo '== noschema'; exit 0; }
b=${s%/*}; b=${b%prisma}; b=${b%/}; b=${b:-.}
o=$(awk '
/^[ \t]*(generator|datasource)[ \t]/ { client = 0; output = "" }
/^[ \t]*provider[ \t]*=[ \t]*"prisma-client(-js)?"/ { client = 1 }
/^[ \t]*output[ \t]*=/ { output = $0; sub(/^[^"]*"/, "", output); sub(/".*/, "", output) }
/^[ \t]*}/ { if (client && output != "") { print output; exit } client = 0 }' "$s")
set --
if [ -n "$o" ]; then case $o in /*) set -- "$o";; *) set -- "${s%/*}/$o";; esac
else
for p in "$b/node_modules/@prisma/client" node_modules/@prisma/client; do
d=$(cd -- "$p" 2>/dev/null && pwd -P) && set -- "$@" "${d%/@prisma/client}/.prisma/client"
done
set -- "$@" "$b/node_modules/.prisma/client" node_modules/.prisma/client
fi
c=; for d do for f in "$d/schema.prisma" "$d"/internal/class.*ts "$d/client.ts"; do
[ -f "$f" ] && { c=${d#"$here"/}; break 2; }
done; done
echo "== schema $s"; sed 's/^/ /' "$s" || exit 1; echo
[ -n "$c" ] || { echo '== noclient'; exit 0; }
case $f in
*.prisma) echo "== client $c"; sed 's/^/ /' "$f" || exit 1; echo;;
*) echo "== inline $c"; sed -n 's/^ *"inlineSchema": *\(".*"\).*/ \1/p' "$f" || exit 1;;
esac
echo '== end'
