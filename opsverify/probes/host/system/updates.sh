# shellcheck shell=sh
echo "== clock $(date +%s)"
if command -v apt-get >/dev/null 2>&1; then
# The simulation writes no cache (pkgcache and srcpkgcache are switched off), takes no lock, and shows what a plain
# upgrade would keep back: a new kernel is a new package, and a hold does not make a hole smaller. How old a list is, it
# says itself: an update that a mirror refuses touches folders and stamps all the same.
eval "$(apt-config shell lists Dir::State::lists/d)"
echo '== manager apt'
# shellcheck disable=SC2154 # by the eval
set -- "$lists"/*Packages*; [ -e "$1" ] || echo '== nolists'
grep -lEis '^(Label|Suite|Codename):.*security' "$lists"/*Release | head -n 20 |
while IFS= read -r f; do echo "== dated $(sed -n 's/^Date: *//p' "$f" | head -n 1)"; done
echo '== updates'
apt-get -s -q -o Debug::NoLocking=true -o APT::Get::Show-User-Simulation-Note=false -o Dir::Cache::pkgcache= \
-o Dir::Cache::srcpkgcache= --ignore-hold dist-upgrade || echo "== failed $?"
elif command -v dnf >/dev/null 2>&1; then
# dnf keeps a cache of its own for each ordinary user: the system's, which is kept up to date, is the one that counts.
echo '== manager dnf'
for d in /var/cache/libdnf5 /var/cache/dnf /var/cache/yum; do [ -d "$d" ] && break; done
find "$d" -name repomd.xml -exec grep -qE "<data type=.updateinfo" {} \; -exec stat -c '== listed %Y' {} \; 2>/dev/null
echo '== updates'
dnf -q -C --setopt=cachedir="$d" updateinfo list --security || echo "== failed $?"
elif command -v apk >/dev/null 2>&1; then
echo '== manager apk'
find /var/cache/apk /etc/apk/cache/ -name 'APKINDEX*' -exec stat -c '== listed %Y' {} + 2>/dev/null
find /var/cache/apk /etc/apk/cache/ -name 'APKINDEX*' -exec stat -c '== listed %Z' {} + 2>/dev/null
echo '== updates'
apk --no-network version -l '<' || echo "== failed $?"
else echo '== nomanager'
fi
# Only Ubuntu, and Debian with unattended-upgrades or the like, leave /run/reboot-required; kernels are compared too.
for f in /run/reboot-required /var/run/reboot-required; do
if [ -e "$f" ]; then echo '== required'; cat "$f.pkgs" 2>/dev/null; break; fi; done
echo "== running $(uname -r)"
echo '== kernels'
# shellcheck disable=SC2012 # names of kernels
ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p'
echo '== modules'; ls /lib/modules 2>/dev/null
exit 0
