# shellcheck shell=sh
# shellcheck disable=SC2154 # here: set by checkout
remote=$2 branch=$3 seconds=$4
checkout "$1"
echo "== tracked $(repo rev-parse --quiet --verify "refs/remotes/$remote/$branch^{commit}")"
url=$(repo ls-remote --get-url -- "$remote") || exit 1
case $url in /*|*:*) ;; *) url=$here/$url;; esac
# A deploy key may be named there. Of such a command only these options are taken, without what a shell would heed.
ssh=$(repo config core.sshCommand |
grep -Ex 'ssh( +(-[46]|-[ip] *[A-Za-z0-9_./~-]+|-o *(IdentitiesOnly|IdentityFile|UserKnownHostsFile)=[A-Za-z0-9_./~-]+))*')
export GIT_SSH_COMMAND="${ssh:-ssh} -oBatchMode=yes -oConnectTimeout=$((seconds - 1))" GIT_ASKPASS=true SSH_ASKPASS=true
# Outside the checkout, so that nothing of its configuration is read.
unset GIT_CONFIG_COUNT GIT_CONFIG_GLOBAL
export GIT_ALLOW_PROTOCOL=file:git:http:https:ssh GIT_CEILING_DIRECTORIES=/
cd / || exit 1
bounded=; command -v timeout >/dev/null 2>&1 && bounded="timeout $seconds"
echo '== heads'
# shellcheck disable=SC2086 # a command and its argument
owned $bounded git -c safe.directory='*' ls-remote -- "$url" "refs/heads/$branch"
echo "== status $?"
