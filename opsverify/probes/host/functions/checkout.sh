# shellcheck shell=sh
# A checkout's configuration may name programs: filters, hooks, monitors, ssh commands, helpers. None of them is run:
# those that are known are switched off, and git may start no process at all (RLIMIT_NPROC; with no threads either).
repo() {
# shellcheck disable=SC2016 # for the shell that becomes git
owned /bin/sh -c 'ulimit -p 0 2>/dev/null || ulimit -u 0 2>/dev/null; exec git "$@"' sh \
-c safe.directory='*' -c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.quotePath=false \
-c core.preloadIndex=false -c index.threads=1 -c pack.threads=1 -c submodule.recurse=false "$@"
}
without_filters() { # clean and smudge: gitattributes(5), "filter"
n=0
while IFS= read -r key; do
case $key in '') continue;; *.required) value=false;; *) value=;; esac
export "GIT_CONFIG_KEY_$n=$key" "GIT_CONFIG_VALUE_$n=$value"
n=$((n + 1))
done <<END
$(repo config --name-only --get-regexp '^filter[.]' | sort -u)
END
export GIT_CONFIG_COUNT=$n
}
checkout() { # FOLDER: changes into it, or says why git cannot be asked there and ends
folder "$1"
command -v git >/dev/null 2>&1 || { echo '== norepo git is not installed on the host'; exit 0; }
# shellcheck disable=SC2046 # names of variables, one a line
unset $(git rev-parse --local-env-vars) # inside a hook they point at another repository
export GIT_OPTIONAL_LOCKS=0 GIT_NO_LAZY_FETCH=1 GIT_ALLOW_PROTOCOL=none GIT_TERMINAL_PROMPT=0 GIT_CONFIG_GLOBAL=/dev/null
owner_of . .git .git/config
e=$(repo rev-parse --git-dir 2>&1 >/dev/null) || { printf '== norepo %s\n' "$e"; exit 0; }
[ -z "$(repo rev-parse --show-prefix)" ] || { echo '== norepo not a git repository of its own'; exit 0; }
without_filters
}
