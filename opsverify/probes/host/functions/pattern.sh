# shellcheck shell=sh
pattern() { # NAME: as a pattern of file names in which nothing but * is special
printf '%s\n' "$1" | sed 's/[[?]/[&]/g; s/\\/[&&]/g'
}
