# shellcheck shell=sh
# `find` of POSIX has no -maxdepth, but those of GNU, BusyBox and BSD do; so with `stat -c` (not BSD).
#
# A name may hold a line feed, and what follows it may look like another file, or like our own frames. No path has "//" in
# it: that marks where a file's line begins, and stands for the line feeds in its name.
folder() { # FOLDER: changes into it, or says why not and ends
if cd -- "$1" 2>/dev/null && ls . >/dev/null 2>&1; then here=$(pwd -P); echo "== folder $here"; return; fi
e=$(ls -- "$1" 2>&1 >/dev/null); [ -d "$1" ] || e="${e:-Not a directory}"
printf '== nofolder %s\n' "$e"; exit 0
}
found() { # PATTERN [DEPTH]: "mtime size mode user uid ./name" of the files below . that match, a line each
# shellcheck disable=SC2086 # an option and its value
find . ${2:--maxdepth 1} -name "$1" -type f -exec stat -c '//%Y %s %a %U %u %n' {} + | awk '
/^\/\// { if (n++) print l; l = substr($0, 3); next } { l = l "//" $0 } END { if (n) print l }'
}
listing() { found "$@" 2>/dev/null; }
