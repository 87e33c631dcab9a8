# shellcheck shell=sh
body() { # FILE: its last YAML document
n=$(grep -n '^---$' "$1" | tail -n 1); n=${n%%:*}; tail -n "+$((${n:-0} + 1))" "$1"
}
show() { # BLOCK FILE
[ -r "$2" ] || { cat "$2" >/dev/null; exit 1; }
echo "== $1"; body "$2" | sed -n '/^snapshots:/q;s/^/ /p'; echo
}
folder "$1"
[ -f pnpm-lock.yaml ] || { echo '== nolock'; exit 0; }
show lock pnpm-lock.yaml
# Where the packages really are: here, in a folder of the operator's choice, or in a store that checkouts share.
v=$(sed -n 's/^ *"\{0,1\}virtualStoreDir"\{0,1\}: *"\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' node_modules/.modules.yaml 2>/dev/null)
case $v in '') v=node_modules/.pnpm;; /*) ;; *) v=node_modules/$v;; esac
i=node_modules/.pnpm/lock.yaml; [ -e "$i" ] || i=$v/lock.yaml
[ -e "$i" ] || { ls -d node_modules >/dev/null; echo '== noinstall'; exit 0; }
show installed "$i"
[ "$(body pnpm-lock.yaml | cksum)" = "$(body "$i" | cksum)" ] && echo '== same'
[ -r node_modules/.modules.yaml ] && show modules node_modules/.modules.yaml
if [ "${v%/links}" = "$v" ]; then echo '== folders'; ls "$v"
else echo '== links'; (cd "$v" && find . -mindepth 2 -maxdepth 3 -type d); fi
echo '== linked'
body pnpm-lock.yaml | sed -n "/^importers:/,/^[^ i]/s/^  '\{0,1\}\([^' :]*\)'\{0,1\}:.*$/\1/p" |
while IFS= read -r d; do
for p in "$d"/node_modules/*/package.json "$d"/node_modules/@*/*/package.json; do [ -e "$p" ] && echo "$p"; done
done
echo '== end'
