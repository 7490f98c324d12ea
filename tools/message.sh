# shellcheck shell=sh
# What the user reads. Everything goes to stderr: stdout belongs to the command's own output.

say() {
  printf 'timelift: %s\n' "$*" >&2
}

# fail PROBLEM REMEDY... : what is wrong, what to do about it, then the end.
fail() {
  printf 'timelift: %s\n' "$1" >&2
  shift
  for remedy; do printf '  %s\n' "$remedy" >&2; done
  exit 1
}

# last_lines FILE : the end of a failed program's output, indented.
last_lines() {
  [ -s "$1" ] && tail -n 8 "$1" | sed 's/^/  | /' >&2
  return 0
}
