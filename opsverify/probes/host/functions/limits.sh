# shellcheck shell=sh
# The control group at the root of what is seen: on a machine it has no limits, in a container it is the container's own.
groups=/sys/fs/cgroup
limits() { # prints `== limits BYTES QUOTA PERIOD`, in the kernel's words; "none" for each that is not there
if [ -r $groups/memory.max ] || [ -r $groups/cpu.max ]; then # cgroup v2
m=$(cat $groups/memory.max 2>/dev/null) p=$(cat $groups/cpu.max 2>/dev/null)
else
m=$(cat $groups/memory/memory.limit_in_bytes 2>/dev/null)
p="$(cat $groups/cpu/cpu.cfs_quota_us 2>/dev/null) $(cat $groups/cpu/cpu.cfs_period_us 2>/dev/null)"
fi
# shellcheck disable=SC2086 # two words
set -- ${m:-none} $p none none
echo "== limits $1 $2 $3"
}
memory_taken() { # prints `== taken BYTES CACHE`: all that counts against the limit, and what of it is given back first
if [ -r $groups/memory.current ]; then
echo "== taken $(cat $groups/memory.current) $(sed -n 's/^inactive_file //p' $groups/memory.stat)"
elif [ -r $groups/memory/memory.usage_in_bytes ]; then
echo "== taken $(cat $groups/memory/memory.usage_in_bytes) \
$(sed -n 's/^total_inactive_file //p' $groups/memory/memory.stat)"
fi
}
cpu_spent() { # NAME: prints `== NAME MICROSECONDS UPTIME`, processor time spent so far
t=$(sed -n 's/^usage_usec //p' $groups/cpu.stat 2>/dev/null)
[ -n "$t" ] || { t=$(cat $groups/cpuacct/cpuacct.usage 2>/dev/null) && t=$((t / 1000)); } # nanoseconds
[ -z "$t" ] || echo "== $1 $t $(cut -d' ' -f1 /proc/uptime)"
}
