# shellcheck shell=sh
# Needs message.sh.

# need_space FOLDER MEGABYTES WHAT : ends with a message unless FOLDER's file system has that much room.
need_space() {
  space_free=$(df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$space_free" -ge "$2" ] ||
    fail "not enough disk space for $3: $2 MB needed, $space_free MB free in $1" \
      "Free some space, or set TIMELIFT_CACHE to a folder on a larger disk."
}
