# shellcheck shell=sh
search_path=$2 seconds=$3
folder "$1"
[ -z "$search_path" ] || PATH=$search_path:$PATH
if [ -f pnpm-lock.yaml ]; then
tool=pnpm lock=pnpm-lock.yaml; set -- --prod
export npm_config_manage_package_manager_versions=false pnpm_config_manage_package_manager_versions=false
export pnpm_config_pm_on_fail=ignore
elif [ -f package-lock.json ]; then tool=npm lock=package-lock.json; set -- --omit=dev
else echo '== nolock'; exit 0; fi
echo "== tool $tool"
command -v "$tool" >/dev/null 2>&1 || { echo '== notool'; exit 0; }
export CI=1 NO_UPDATE_NOTIFIER=1 COREPACK_ENABLE_NETWORK=0 COREPACK_ENABLE_DOWNLOAD_PROMPT=0
export npm_config_update_notifier=false npm_config_logs_max=0
export npm_config_offline=false npm_config_prefer_offline=false npm_config_ignore_pnpmfile=true
export pnpm_config_offline=false pnpm_config_prefer_offline=false
owner_of . "$lock"
# Beside the lock file a checkout holds what makes these tools run programs. So they see nothing but it, and of .npmrc
# where the registry is and how to log in there.
scratch=$(owned mktemp -d) || exit 1
trap 'owned rm -rf "$scratch"; wait' EXIT
# shellcheck disable=SC2016 # for the shell of the owner
owned /bin/sh -c 'umask 077; [ -f "$1" ] && cat "$1" > "$2/$1" || exit
[ ! -f .npmrc ] || grep -E "$3" .npmrc > "$2/.npmrc"; exit 0' sh "$lock" "$scratch" \
'^[[:space:]]*((@[A-Za-z0-9._-]+:)?registry|//[^[:space:]=]+:(_authToken|_auth|username|_password))[[:space:]]*=' ||
exit 1
cd "$scratch" || exit 1
bounded=; command -v timeout >/dev/null 2>&1 && bounded="timeout $seconds"
# shellcheck disable=SC2086 # a command and its argument
report=$(owned $bounded "$tool" audit --json "$@")
echo "== status $?"
echo '== json'; printf '%s\n' "$report" | sed 's/^/ /'
echo '== end'
