# shellcheck shell=sh
# Programs on PATH and their versions. Needs $cache.

# at_least VERSION MINIMUM
at_least() {
  version_number "$1"
  at_least_number=$version_number
  version_number "$2"
  [ "$at_least_number" -ge "$version_number" ]
}

# Sets version_number: 3.258.0 becomes 3258000.
version_number() {
  IFS=.
  # shellcheck disable=SC2086
  set -- ${1%%[-+]*}
  unset IFS
  version_number=$((${1:-0} * 1000000 + ${2:-0} * 1000 + ${3:-0}))
}

# find_program NAME VERSION-ARGUMENT : sets found_path and found_version, both empty where it is not on PATH.
# Asking a program for its version takes up to half a second, so the answer is kept until the file changes.
find_program() {
  found_path=$(command -v "$1") || found_path=
  found_version=
  [ -n "$found_path" ] || return 1
  found_identity=$(ls -lL "$found_path")
  found_note=$cache/versions/$1
  if [ -r "$found_note" ] && { read -r found_known && read -r found_version; } <"$found_note" &&
    [ "$found_known" = "$found_identity" ]; then
    return 0
  fi
  found_version=$("$found_path" "$2" 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9.]*[0-9]\).*/\1/p' | head -n 1)
  if [ -n "$found_version" ] && mkdir -p "$cache/versions" 2>/dev/null; then
    printf '%s\n%s\n' "$found_identity" "$found_version" >"$found_note.$$" && mv "$found_note.$$" "$found_note"
  fi
  return 0
}

# program_suffices NAME VERSION-ARGUMENT MINIMUM
program_suffices() {
  find_program "$1" "$2" && [ -n "$found_version" ] && at_least "$found_version" "$3"
}
