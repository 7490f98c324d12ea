# shellcheck shell=sh
# The project's own packages, as its lock file has them.

# node_modules is right when it was made from this very lock file, of which it keeps a copy.
node_modules_are_right() {
  cmp -s "$root/package-lock.json" "$root/node_modules/.timelift-lock.json"
}

ensure_node_modules() {
  if node_modules_are_right; then return 0; fi
  mkdir -p "$root/.timelift" 2>/dev/null ||
    fail "$root cannot be written, so its packages cannot be installed" "Make it writable, or clone the project elsewhere."
  ensure_npm
  with_lock "$root/.timelift/node_modules.lock" "installing the project's packages" install_node_modules
}

# Installed beside the project, then moved in: a run that is interrupted leaves the old ones in place.
install_node_modules() {
  if node_modules_are_right; then return 0; fi
  need_space "$root" 1000 "the project's packages"
  say "installing the project's packages (npm ci, about 20 s)"
  install=$root/.timelift/install
  rm -rf "$install"
  mkdir -p "$install"
  cp "$root/package.json" "$root/package-lock.json" "$root/.npmrc" "$install/"
  # None of the packages needs an install script of its own to work.
  # shellcheck disable=SC2086
  (cd "$install" && run_npm ci --ignore-scripts --no-audit --no-fund --no-progress $npm_options) >"$install/log" 2>&1 ||
    npm_failed "$install/log" "the project's packages could not be installed (npm ci)"
  cp "$install/package-lock.json" "$install/node_modules/.timelift-lock.json"
  rm -rf "$install/replaced"
  if [ -e "$root/node_modules" ]; then mv "$root/node_modules" "$install/replaced"; fi
  mv "$install/node_modules" "$root/node_modules"
  rm -rf "$install"
}
