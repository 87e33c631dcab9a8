# shellcheck shell=sh
seconds=$1 bytes=$2 kind=$3 log=$4 kept=$5 program=$6
plan "$seconds" "$bytes" "$kind" "$log"
feed | timed "$program" kept="$kept"
