# shellcheck shell=sh
journal_kept_back() { # MESSAGE of journalctl's: "hidden" where this account may not read, "none" where nothing is kept
case $1 in *'not seeing messages'*|*ermission*) echo hidden;; *'No journal files'*) echo none;; esac
}
