# shellcheck shell=sh
# Arguments: the texts of names.awk and compose.awk. Where programs run from and where people put them is looked at.
names=$1 compose=$2
upmost() { # FOLDER: the outermost folder above it that is a checkout or a package
best=
d=$1
while [ -n "$d" ] && [ "$d" != / ]; do
for f in .git package.json pnpm-lock.yaml docker-compose.yml docker-compose.yaml compose.yml compose.yaml; do
[ -e "$d/$f" ] && best=$d && break; done
d=${d%/*}; done
[ -z "$best" ] || printf '%s\n' "$best"
}
{
for p in /proc/[0-9]*; do case $(cat "$p/comm") in *node*|next*|MainThread|bun) readlink "$p/cwd";; esac; done 2>/dev/null
command -v systemctl >/dev/null 2>&1 && systemctl show -p WorkingDirectory -- '*.service' 2>/dev/null | sed -n 's/^WorkingDirectory=!\{0,1\}\(\/.\)/\1/p'
ls -d /srv/* /srv/*/* /opt/* /opt/*/* /var/www/* /home/* /home/*/* /root/* /app /usr/src/app /data/* 2>/dev/null
} | sort -u | while IFS= read -r d; do case $d in */node_modules|*/node_modules/*) continue;; esac; [ -d "$d" ] && upmost "$d"; done | sort -u | sed -e '41s/.*/+/' -e 41q |
# Of two names of one folder, the link's: `current` stays when a release goes.
while IFS= read -r root; do [ "$root" != + ] || { echo '+	+'; continue; }; printf '%s\t%s\n' "$(cd "$root" 2>/dev/null && pwd -P || printf '%s' "$root")" "$root"; done |
awk -F '\t' '!($1 in name) || name[$1] == $1 { name[$1] = $2 } END { for (real in name) print name[real] "\t" real }' | sort |
while IFS='	' read -r root real; do
[ "$root" != + ] || { echo '== denied more than 40 checkouts'; continue; }
[ -r "$root" ] && [ -x "$root" ] || { echo "== denied $root"; continue; }
echo "== checkout $root"; echo "real $real"
[ ! -e "$root/.git" ] || echo git
found=$(find "$root/" -maxdepth 4 \( -name node_modules -o -name .git -o -name vendor -o -name dist \) -prune -o -path '*/.next/cache' -print -prune \
-o -path '*/.next/*' -prune -o \( -type f -o -type d -o -type l \) \( -name package.json -o -name '*-lock.*' -o -name yarn.lock -o -name bun.lockb \
-o -name schema.prisma -o -name '.env*' -o -name '*.pid' -o -name '*.log' -o -name '*.sh' -o -name 'docker-compose*.y*ml' -o -name 'compose*.y*ml' \
-o -iname '*operation*.md' -o -iname '*runbook*.md' -o -name migrations -o -name logs -o -name temp -o -name tmp -o -name 'backup*' \) -print 2>&1 | sed -e '2001s/.*/+/' -e 2001q)
printf '%s\n' "$found" | while IFS= read -r f; do
case $f in
'') continue;;
+) echo "denied more than 2000 files of note in $root"; continue;;
'find: '*) f=${f#find: }; f=${f%: *}; f=${f#[\'\"]}; printf 'denied %s\n' "${f%[\'\"]}"; continue;;
esac
if [ -d "$f" ]; then k=d; elif [ -f "$f" ]; then k=f; else continue; fi # links lead to shared files, and to none
printf '%s %s\n' "$k" "$f"
[ "$k" = f ] || continue
case ${f##*/} in
package.json) for w in @nestjs/core next @prisma/client prisma express react vite; do grep -qF "\"$w\"" "$f" && printf 'uses %s %s\n' "$w" "$f"; done;;
.env.example|.env.sample|.env.template|.env.dist) ;;
.env*) if [ -r "$f" ]; then awk "$names" "$f" | while read -r n; do printf 'names %s %s\n' "$f" "$n"; done; else echo "denied $f"; fi;;
docker-compose*|compose*) if [ -r "$f" ]; then printf 'compose %s\n' "$f"; awk "$compose" "$f" | sed 's/^/compose: /'; else echo "denied $f"; fi;;
*.pid) printf 'pid %s %s\n' "$(file_pid "$f")" "$f";;
esac
done
done
find /home /root /srv /var/lib -maxdepth 3 -type d -name .npm -print 2>/dev/null | head -n 20 | sed 's/^/== npmcache /'
for d in /home /home/* /home/*/* /root /srv /srv/* /srv/*/* /opt /opt/* /opt/*/* /var/www /var/www/* /data /data/* /app; do [ "${d##*/}" != lost+found ] && [ -d "$d" ] && { [ -r "$d" ] && [ -x "$d" ] || echo "== denied $d"; }; done
exit 0
