# Usage: start-exporter.sh FOLDER "PROGRAM..." ARGUMENT...
# Runs the first of the programs that the image has; images and distributions name an exporter differently.
# A file `pgpass` beside this script is the password file of libpq's clients. They read none that others may read too, as
# the group may read this one, so a copy of it is in FOLDER, which is in memory.
folder=$(dirname "$0")
private=$1
programs=$2
shift 2
if [ -r "$folder/pgpass" ]; then
  export PGPASSFILE="$private/pgpass"
  umask 077
  cat "$folder/pgpass" >"$PGPASSFILE"
fi
for program in $programs; do
  if command -v "$program" >/dev/null; then exec "$program" "$@"; fi
done
echo "the image has none of: $programs" >&2
exit 127
