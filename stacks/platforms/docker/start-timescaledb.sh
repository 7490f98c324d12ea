#!/bin/sh
# Usage: start-timescaledb.sh VOLUME DATABASE
#
# The first process of the database's container. Makes the data folder where the volume has none, with DATABASE in it,
# for pg_cron looks for that at once; sees to the superuser's password; then becomes the server.
set -eu
umask 077

conf=/timelift
volume=$1
database=$2
cluster=$volume/cluster

# The folder of a PostgreSQL's programs: of the one that made the data, else the one on PATH, else the newest.
programs() {
  made_by=
  if [ -s "$cluster/PG_VERSION" ]; then read -r made_by <"$cluster/PG_VERSION"; fi
  if [ -n "$made_by" ] && [ -x "/usr/lib/postgresql/$made_by/bin/postgres" ]; then
    echo "/usr/lib/postgresql/$made_by/bin"
  elif server=$(command -v postgres); then
    dirname "$server"
  else
    newest=
    for folder in /usr/lib/postgresql/*/bin; do
      if [ -x "$folder/postgres" ]; then newest=$folder; fi
    done
    echo "$newest"
  fi
}

bin=$(programs)
if [ -z "$bin" ]; then
  echo "timelift: the image has no PostgreSQL, neither on PATH nor in /usr/lib/postgresql" >&2
  exit 1
fi
# The question that health checks ask needs the same programs.
echo "$bin" >/tmp/programs

# Under another name until it is complete, so that an interruption leaves no half of one.
if [ ! -s "$cluster/PG_VERSION" ]; then
  rm -rf "$cluster.new"
  # Text sorts by code point, as in SQLite, on every machine alike.
  "$bin/initdb" -D "$cluster.new" -U postgres --auth-local=peer --auth-host=scram-sha-256 \
    --encoding=UTF8 --data-checksums --locale-provider=builtin --locale=C.UTF-8 --no-instructions
  echo "CREATE DATABASE \"$database\"" | "$bin/postgres" --single -D "$cluster.new" template1 >/dev/null
  mv "$cluster.new" "$cluster"
  rm -f "$volume/superuser.sql"
fi

# Once for each password: the file holds a SCRAM secret, from which nobody can log in.
if [ "$(cat "$conf/superuser.sql")" != "$(cat "$volume/superuser.sql" 2>/dev/null)" ]; then
  "$bin/postgres" --single -D "$cluster" template1 <"$conf/superuser.sql" >/dev/null
  cat "$conf/superuser.sql" >"$volume/superuser.sql.new"
  mv "$volume/superuser.sql.new" "$volume/superuser.sql"
fi

# Libraries that not every image has. Where pgaudit is, it writes down what log_statement would.
lib=$("$bin/pg_config" --pkglibdir)
set -- -D "$cluster" -c config_file="$conf/postgresql.conf"
libraries=timescaledb,pg_stat_statements
if [ -e "$lib/pg_cron.so" ]; then libraries=$libraries,pg_cron; fi
if [ -e "$lib/pgaudit.so" ]; then
  libraries=$libraries,pgaudit
  set -- "$@" -c log_statement=none
fi
set -- "$@" -c shared_preload_libraries="$libraries"
exec "$bin/postgres" "$@"
