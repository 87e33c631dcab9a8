# shellcheck shell=sh
# What belongs to somebody else may name programs to run. Root runs nothing of that kind: its owner does.
uid=
owner_of() { # FILE...: of those that are there, the first that is not root's: sets `uid`, "" where `owned` need not change
uid=; [ "$(id -u)" = 0 ] || return 0
set -- "$(stat -L -c '%u %g' -- "$@" 2>/dev/null | grep -v '^0 ' | head -n 1)"
uid=${1% *} gid=${1#* }
[ -n "$uid" ] || return 0
account=$(getent passwd "$uid" 2>/dev/null || awk -F: -v u="$uid" '$3 == u { print; exit }' /etc/passwd)
user=${account%%:*} home=$(printf '%s' "$account" | cut -d: -f6)
}
owned() { # COMMAND...: runs it, in the place of root as the owner; fails where the host has no means for that
if [ -z "$uid" ]; then "$@"
elif setpriv --reuid="$uid" --regid="$gid" --clear-groups true 2>/dev/null; then
  groups=--clear-groups; [ -z "$user" ] || groups=--init-groups
  HOME=${home:-/nonexistent} setpriv --reuid="$uid" --regid="$gid" "$groups" -- "$@"
elif [ -n "$user" ]; then su -s /bin/sh -c '"$@"' -- "$user" sh "$@"
else echo "root runs nothing of account $uid, and the host has neither setpriv nor a name for that account" >&2; return 126
fi
}
