# shellcheck shell=sh
# Run a command in a mount namespace of its own, in which folders are hidden. From confinement.py, which says why.
# stage kept... -- hidden... -- command...
# The stage, which is no part of the others, is where what is kept stays in reach while it is covered.
set -e
umask 022
stage=$1
shift
mount -t tmpfs -o mode=0755 tmpfs "$stage"
n=0
while [ "$1" != -- ]; do
  n=$((n + 1))
  eval "kept_$n=\$1"
  mkdir "$stage/$n"
  mount --bind "$1" "$stage/$n"
  shift
done
shift
while [ "$1" != -- ]; do
  mount -t tmpfs -o mode=0755 tmpfs "$1"
  shift
done
shift
while [ "$n" -gt 0 ]; do
  eval "path=\$kept_$n"
  # shellcheck disable=SC2154
  mkdir -p "$path"
  mount --bind "$stage/$n" "$path"
  n=$((n - 1))
done
exec "$@"
