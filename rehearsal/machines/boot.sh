#!/bin/sh
# Boots one host and keeps it: IMAGE SEED WORK MACHINE HOSTNAME NETNS SIZE CGROUP...
#
# In a mount namespace of its own, so that the host's file systems go with its last process, and killed when its owner
# ends, so that it cannot outlive it. Each line on standard input starts the host again after it was powered off.
set -eu
if [ "${IN_NAMESPACE:-}" = "" ]; then
    # Each host in a cgroup of its own, in every hierarchy that systemd uses: else they would share one, and fail.
    n=0
    for argument; do
        n=$((n + 1))
        [ "$n" -le 7 ] || echo $$ > "$argument/cgroup.procs"
    done
    IN_NAMESPACE=yes exec setpriv --pdeathsig KILL unshare --mount --propagation private sh "$0" "$@"
fi
unset IN_NAMESPACE
image=$1 seed=$2 work=$3 machine=$4 hostname=$5 netns=$6 size=$7
mount -t tmpfs -o "size=$size,mode=0755" opsverify "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay -o "lowerdir=$image,upperdir=$work/upper,workdir=$work/work" overlay "$work/root"
tar -C "$seed" -cf - . | tar -C "$work/root" -xpf - --no-overwrite-dir --numeric-owner
chroot "$work/root" sh -eu < "$(dirname "$0")/configure.sh"
while :; do
    status=0
    setpriv --pdeathsig KILL systemd-nspawn --quiet --boot --directory="$work/root" --machine="$machine" \
        --hostname="$hostname" --register=no --keep-unit --network-namespace-path="/run/netns/$netns" \
        --console=read-only --kill-signal=SIGRTMIN+3 --link-journal=no --resolv-conf=off --timezone=off \
        < /dev/null || status=$?
    # 133: it wants to be started again, as it was rebooted.
    [ "$status" -eq 133 ] || read -r _ || exit 0
done
