# shellcheck shell=sh
# PostgreSQL as Debian's tools know it, and elsewhere by its programs.
if command -v pg_lsclusters >/dev/null 2>&1; then echo '== clusters'; pg_lsclusters --no-header; fi
for f in /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres /usr/local/pgsql/bin/postgres; do
[ -x "$f" ] && echo "== program $f"; done
exit 0
