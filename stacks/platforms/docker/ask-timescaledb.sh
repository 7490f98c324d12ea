#!/bin/sh
# Usage: ask-timescaledb.sh PORT
#
# Whether the server takes connections by TCP and answers a query. The query goes through the socket, where this user
# needs no password.
set -eu
read -r bin </tmp/programs
"$bin/pg_isready" -q -h 127.0.0.1 -p "$1"
# Every three seconds: the log shall not tell of each.
PGOPTIONS='-c log_disconnections=off'
export PGOPTIONS
[ "$("$bin/psql" -XAtq -h /tmp -p "$1" -U postgres -d postgres -c 'SELECT 1')" = 1 ]
