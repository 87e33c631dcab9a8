# shellcheck shell=sh
# The file system's own options stand last in mountinfo. Those of the mount point, before the "-", are somebody's choice
# (a bind mount, a container's, a sandbox's): an error never sets them, and through another one it can be written to.
mounts() { # every mount as "== mount DEVICE-NUMBER MOUNT TYPE FLAGS", FLAGS being what keeps the file system from writes
awk '{ for (i = 7; $i != "-" && i < NF; i++); n = split($NF, options, ","); flags = ""
for (k = 1; k <= n; k++) if (options[k] ~ /^(ro|emergency_ro|shutdown)$/) flags = flags " " options[k]
print "== mount", $3, $5, $(i + 1) flags }' /proc/self/mountinfo
}
