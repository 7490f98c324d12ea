#!/bin/sh
# Usage: ask-pgbouncer.sh PORT
#
# Whether PgBouncer answers a query of its console.
set -eu
psql=psql
for program in /usr/lib/postgresql/*/bin/psql; do
  if [ -x "$program" ]; then psql=$program; fi
done
"$psql" -XAtq -h /tmp -p "$1" -U pgbouncer -d pgbouncer -c 'SHOW VERSION' >/dev/null
