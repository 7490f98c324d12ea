# shellcheck shell=sh
# A lock is a symbolic link whose target names its holder: made in one step, readable by everyone, and seen
# to be stale when the holder is gone. Needs message.sh.

# The holder's pid alone would match a later process with the same number, so its start time goes with it.
process_identity() {
  if [ -r "/proc/$1/stat" ] && identity_stat=$(cat "/proc/$1/stat" 2>/dev/null); then
    identity_pid=$1
    # The program's name, in parentheses, may hold blanks; the fields after it do not.
    # shellcheck disable=SC2086
    set -- ${identity_stat##*) }
    echo "$identity_pid.${20}"
  elif [ ! -r /proc/self/stat ] && identity_start=$(ps -o lstart= -p "$1" 2>/dev/null); then
    echo "$1.$(echo "$identity_start" | tr -cd '0-9A-Za-z')"
  elif kill -0 "$1" 2>/dev/null; then
    echo "$1.0"
  fi
}

lock_holder_lives() {
  [ "$(process_identity "${1%%.*}")" = "$1" ]
}

# take_lock PATH WHAT : waits until this process holds PATH; WHAT is what it protects, for the message.
take_lock() {
  lock_self=$(process_identity $$)
  lock_said=
  until ln -s "$lock_self" "$1" 2>/dev/null; do
    lock_holder=$(readlink "$1") || {
      # Gone between the two calls; or the folder cannot be written.
      [ -w "${1%/*}" ] || fail "${1%/*} cannot be written" "Make it writable, or set TIMELIFT_CACHE to a folder that is."
      continue
    }
    [ "$lock_holder" = "$lock_self" ] && return 0
    if lock_holder_lives "$lock_holder"; then
      [ -n "$lock_said" ] || say "waiting for process ${lock_holder%%.*}, which is busy with $2"
      lock_said=yes
      sleep 1
    else
      break_lock "$1" "$lock_holder"
    fi
  done
}

# Only one process at a time may break a lock, or the second would break the lock that the first just took.
break_lock() {
  if ln -s "$lock_self" "$1.breaker" 2>/dev/null; then
    if [ "$(readlink "$1")" = "$2" ]; then
      rm -f "$1"
      say "process ${2%%.*} ended before it was done; going on from there"
    fi
    rm -f "$1.breaker"
  else
    lock_breaker=$(readlink "$1.breaker") || return 0
    lock_holder_lives "$lock_breaker" || rm -f "$1.breaker"
    sleep 1
  fi
}

drop_lock() {
  [ "$(readlink "$1")" = "$(process_identity $$)" ] && rm -f "$1"
  return 0
}

# with_lock PATH WHAT COMMAND...
with_lock() {
  with_lock_path=$1
  take_lock "$1" "$2"
  shift 2
  "$@"
  drop_lock "$with_lock_path"
}

# For the end of a program, whatever ended it.
drop_locks_in() {
  for lock_path in "$1"/*.lock; do
    if [ -L "$lock_path" ]; then drop_lock "$lock_path"; fi
  done
}
