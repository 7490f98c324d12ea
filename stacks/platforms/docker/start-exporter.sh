# Usage: start-exporter.sh "PROGRAM..." ARGUMENT...
# Runs the first of the programs that the image has; images and distributions name an exporter differently.
# A file `pgpassword` beside this script is what libpq's clients take as the password.
folder=$(dirname "$0")
programs=$1
shift
if [ -r "$folder/pgpassword" ]; then
  PGPASSWORD=$(cat "$folder/pgpassword")
  export PGPASSWORD
fi
for program in $programs; do
  if command -v "$program" >/dev/null; then exec "$program" "$@"; fi
done
echo "the image has none of: $programs" >&2
exit 127
