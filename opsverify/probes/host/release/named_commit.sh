# shellcheck shell=sh
named=$2 hash=$3 # hash: the name, where it may be a commit's
look() { repo rev-parse --quiet --verify --end-of-options "$1^{commit}"; }
checkout "$1"
echo "== tag $(look "refs/tags/$named")"
echo "== commit $([ -z "$hash" ] || look "$hash")"
