# shellcheck shell=sh
echo "== clock $(date +%s)"
timers() { # NAME...: those that are there, and whether they run
for u do
s=$(systemctl show -p LoadState -p ActiveState -p UnitFileState -- "$u" 2>/dev/null | tr '\n' ' ')
case $s in *LoadState=loaded*) echo "== timer $u $s";; esac
done; }
if command -v apt-config >/dev/null 2>&1; then
echo '== manager apt'
apt-config dump --format '== setting %F "%v"%n' APT::Periodic 2>&1 | sed 's/^[WE]: Unable to read \([^ ]*\).*/== unread \1/'
command -v unattended-upgrade >/dev/null 2>&1 && echo '== program'
# Touched only when an upgrade ended well: /usr/lib/apt/apt.systemd.daily.
s=$(stat -c %Y /var/lib/apt/periodic/upgrade-stamp 2>/dev/null) && echo "== done $s"
timers apt-daily.timer apt-daily-upgrade.timer
command -v anacron >/dev/null 2>&1 && [ -e /etc/cron.daily/apt-compat ] && echo '== anacron'
elif command -v dnf >/dev/null 2>&1; then
echo '== manager dnf'
for f in /etc/dnf/automatic.conf /usr/share/dnf5/dnf5-plugins/automatic.conf; do
[ -r "$f" ] && sed -n 's/^ *apply_updates *= *\([a-zA-Z0-9]*\).*/== apply \1/p' "$f" && break; done
timers dnf5-automatic.timer dnf-automatic.timer dnf-automatic-install.timer
for u in dnf5-automatic dnf-automatic dnf-automatic-install; do
s=$(systemctl show -p LoadState -p Result -p ExecMainExitTimestamp --timestamp=unix -- "$u.service" 2>/dev/null | tr '\n' ' ')
case $s in *LoadState=loaded*) echo "== service $u $s";; esac
done
else echo '== manager none'; fi
echo '== end'
