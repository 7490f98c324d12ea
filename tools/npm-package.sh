# shellcheck shell=sh
# Packages from the npm registry, through whatever npm there is. npm itself checks their integrity.

# fetch_package NAME VERSION WHAT : makes $cache/NAME-VERSION the unpacked package.
fetch_package() {
  package_dir=$cache/$1-$2
  package_part=$package_dir.part
  rm -rf "$package_part"
  mkdir -p "$package_part/archive"
  if ! npm_pack "$1@$2" "$package_part/archive" >"$package_part/log" 2>&1; then
    npm_failed "$package_part/log" "$3 could not be fetched from the npm registry"
  fi
  tar -xzf "$package_part/archive/"*.tgz -C "$package_part" --strip-components=1 ||
    fail "$3 could not be unpacked into $package_part" "If the disk is full, free some space; then run the same command again."
  rm -rf "$package_part/archive" "$package_part/log"
  mv "$package_part" "$package_dir"
}

# Tries again as often as npm's settings say, but without its long waits: offline is soon said.
npm_options="--loglevel=error --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000"

npm_pack() {
  if [ -n "$(command -v npm)" ] && npm --version >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    (cd "$2" && npm pack $npm_options "$1")
  else
    # shellcheck disable=SC2016,SC2086
    in_tree "$npm_tree" env npm_config_cache=/tmp/npm npm_config_update_notifier=false \
      sh -c 'cd "$0" && exec npm pack "$@"' "$2" $npm_options "$1"
  fi
}

# Where no npm is on PATH, Debian's is borrowed for as long as it takes to fetch a current one.
borrow_npm() {
  npm_tree=$cache/debian-npm
  if [ -f "$npm_tree/.debian-tree" ]; then return 0; fi
  if [ -n "$(command -v npm)" ] && npm --version >/dev/null 2>&1; then return 0; fi
  user_namespaces_work ||
    fail "npm is missing, and this kernel lets no ordinary user make a namespace to run Debian's in" \
      "As root: apt-get install npm (or put Node $node_minimum or later with npm on PATH), then run the same command again."
  say "npm is missing: borrowing Debian's to fetch a current one (about 30 s)"
  "$root/tools/debian-tree" "$npm_tree" nodejs npm ca-certificates bubblewrap bash dash coreutils || exit 1
}

return_npm() {
  rm -rf "$npm_tree"
}

# npm_failed LOG PROBLEM
npm_failed() {
  last_lines "$1"
  if grep -q ENOSPC "$1"; then
    fail "$2: the disk is full" "Free some space, then run the same command again."
  fi
  if grep -qE 'SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)' "$1"; then
    fail "$2: this network signs with a certificate authority that Node does not know" \
      "Set NODE_EXTRA_CA_CERTS and SSL_CERT_FILE to a file of its certificates (PEM), then run the same command again."
  fi
  fail "$2" \
    "Is this machine online? npm's own settings apply (registry, proxy, cafile: npm config list; HTTPS_PROXY)." \
    "Once it is, run the same command again: it goes on where it stopped."
}
