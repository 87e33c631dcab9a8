# shellcheck shell=sh
# A container has its machine's clock, and may not set it.
k=; command -v systemd-detect-virt >/dev/null 2>&1 && k=$(systemd-detect-virt --container 2>/dev/null)
case $k in ''|none) for f in /run/.containerenv /.dockerenv; do [ ! -e "$f" ] || k=${k:-container}; done;; esac
case $k in ''|none|wsl) ;; *) echo "== container $k"; exit 0;; esac
echo "== clock $(date +%s)"
echo '== services'
cat /proc/[0-9]*/comm 2>/dev/null | grep -xE 'systemd-timesyn|chronyd|ntpd|ptp4l|phc2sys|timemaster' | sort -u
# The kernel's own word, STA_UNSYNC of adjtimex(2), which rises again 16 s of possible error later.
s=$(timedatectl show -p NTPSynchronized 2>/dev/null) || s=$(timedatectl 2>/dev/null)
printf '%s\n' "$s" | sed -n 's/^NTPSynchronized=\(.*\)$/== synchronized \1/p; s/^ *\(System clock\|NTP\) synchronized: \(.*\)$/== synchronized \2/p'
t=$(chronyc -c -n tracking 2>/dev/null) && echo "== chrony $t"
t=$(ntpq -c 'rv 0 leap,stratum,refid' 2>/dev/null) && printf '%s\n' "$t" | sed -n 's/^.*leap=\([^,]*\).*$/== ntp \1/p' | head -n 1
t=$(ntpctl -s status 2>/dev/null) && printf '%s\n' "$t" | sed -n 's/^.*clock \(synced\|unsynced\).*$/== openntpd \1/p'
echo '== end'
