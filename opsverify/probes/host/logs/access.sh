# shellcheck shell=sh
# shellcheck disable=SC2154 # combined_awk: the functions of combined.awk
seconds=$1 bytes=$2 kind=$3 log=$4 most=$5 program=$6
plan "$seconds" "$bytes" "$kind" "$log"
feed | timed "$combined_awk$program" most="$most"
