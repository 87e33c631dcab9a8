# The mounts to look at, of /proc/mounts: "near" or "far" (of a network), device, mount point, type.
# Read are /etc/fstab, as fstab=1, then the mounts, as fstab=0. `memory` is where a tmpfs counts; those of fstab do, too.
# Environment: ONLY and IGNORE, mount points as /proc/mounts writes them, one a line behind a blank.
function list(text, into,   n, a, i) {
n = split(text, a, "\n")
for (i = 1; i <= n; i++) { sub(/^ /, "", a[i]); if (a[i] != "") { into[a[i]] = 1; any = 1 } }
}
function looked_at() {
if ($3 == "tmpfs" && $2 in written) return 1
if ($3 == "overlay" && $2 == "/") return 1
return !($3 in skip) && $3 !~ /^fuse\./
}
BEGIN { n = split(pseudo, a, " "); for (i = 1; i <= n; i++) skip[a[i]] = 1
n = split(network, a, " "); for (i = 1; i <= n; i++) far[a[i]] = 1
n = split(memory, a, " "); for (i = 1; i <= n; i++) written[a[i]] = 1
list(ENVIRON["IGNORE"], out); any = 0; list(ENVIRON["ONLY"], in_) }
fstab { if ($3 == "tmpfs" && $1 !~ /^#/) written[$2] = 1; next }
{ if ($2 in out) next
if (any ? !($2 in in_) : !looked_at()) next
print (($3 in far) ? "far" : "near"), $1, $2, $3 }
