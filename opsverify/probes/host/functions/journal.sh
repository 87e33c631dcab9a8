# shellcheck shell=sh
# MESSAGE is of `journalctl -n 1` without -o cat or json, which imply -q: whoever has a journal of his own, as everybody
# who logs in has, would see nothing but that, and no word of all that is kept back.
journal_kept_back() { # MESSAGE of journalctl's: "hidden" where this account may not read, "none" where nothing is kept
case $1 in *'not seeing messages'*|*ermission*) echo hidden;; *'No journal files'*) echo none;; esac
}
