# shellcheck shell=sh
# Argument: the text of nginx.awk. `nginx -T` is not asked: it opens the logs for writing.
awk_program=$1
command -v nginx >/dev/null 2>&1 && echo '== installed'
for root in /etc/nginx /usr/local/nginx/conf /usr/local/openresty/nginx/conf /usr/local/etc/nginx; do
[ -d "$root" ] || continue
[ -r "$root" ] && [ -x "$root" ] || { echo "== denied $root"; continue; }
echo "== root $root"
find -L "$root" -type d 2>/dev/null | while IFS= read -r d; do [ -r "$d" ] && [ -x "$d" ] || echo "== denied $d"; done
# Keys, passwords and tables of types are no configuration.
find -L "$root" -type f -size -512k ! -name '*.key' ! -name '*.pem' ! -name '*.crt' ! -name '*passw*' ! -name '*.types' \
! -name '*_params' ! -name 'koi-*' ! -name 'win-*' 2>/dev/null | sed -e '501s/.*/+/' -e 501q | while IFS= read -r f; do
[ "$f" != + ] || { echo "== denied more than 500 files in $root"; continue; }
if [ -r "$f" ]; then echo "== file $f"; awk "$awk_program" "$f"; else echo "== denied $f"; fi
done; done
exit 0
