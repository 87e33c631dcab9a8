# shellcheck shell=sh
content() { # FILE: its hash, of a link that of where it leads
if [ -L "$1" ]; then printf %s "$(readlink -- "$1")" | repo hash-object --stdin; else repo hash-object -- "$1"; fi
}
overlooked() { # what `git update-index --skip-worktree` or `--assume-unchanged` keeps from `git status`; no submodules
repo ls-files -s -v | tr '\t' ' ' | sed -n 's/^\([a-zS]\) 1[02][0-7]* \([0-9a-f]*\) 0 /\1 \2 /p' |
while read -r t h f; do
if [ -e "$f" ] || [ -L "$f" ]; then [ "$(content "$f")" = "$h" ] || echo " M $f"
else case $t in [Ss]);; *) echo " D $f";; esac # a sparse checkout leaves files out
fi
done
}
checkout "$1"
echo '== changes'
repo status --porcelain=v1 --no-renames --untracked-files="$2" --ignore-submodules=dirty || exit 1
overlooked
echo '== end'
