# shellcheck shell=sh
seconds=$1 bytes=$2 kind=$3 log=$4 most=$5 program=$6
plan "$seconds" "$bytes" "$kind" "$log" short-iso # which has times that syslog's have, too
feed | timed "$program" most="$most"
