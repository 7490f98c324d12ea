# shellcheck shell=sh
# `timelift doctor`: what is present, which version, from where; what the missing costs to get. Plain sh, since
# Node may be what is missing. Asks no network.

# doctor [--json] : exit status 1 where something needed can neither be found nor fetched.
doctor() {
  doctor_json=
  for argument; do
    case $argument in
    --json) doctor_json=yes ;;
    -h | --help)
      echo "Usage: timelift doctor [--json]"
      echo "Says what is present, from where, and what each missing thing costs to get."
      return 0
      ;;
    *) fail "doctor does not know $argument" "timelift doctor [--json]" ;;
    esac
  done
  doctor_lines=
  doctor_ok=true

  examine_system
  examine_node
  examine_pulumi
  examine_services
  report
  [ "$doctor_ok" = true ]
}

# present NAME VERSION FROM
present() { note "$1" present "$2" "$3" "" ""; }
# obtainable NAME COST : the next command that needs it brings it.
obtainable() { note "$1" obtainable "" "" "$2" ""; }
# unneeded NAME REASON : absent, and nothing misses it.
unneeded() { note "$1" unneeded "" "" "" "$2"; }
# missing NAME REMEDY
missing() {
  note "$1" missing "" "" "" "$2"
  doctor_ok=false
}

note() {
  doctor_lines="$doctor_lines$1|$2|$3|$4|$5|$6
"
}

examine_system() {
  doctor_apt=yes
  if [ -n "$(command -v apt-get)" ] && [ -n "$(command -v dpkg-deb)" ] && [ -n "$(command -v dpkg)" ]; then
    present "apt-get and dpkg-deb" "$(dpkg-deb --version | sed -n '1s/.*version \([^ ]*\).*/\1/p')" "$(command -v apt-get)"
  else
    doctor_apt=
    unneeded "apt-get and dpkg-deb" "this system is not like Debian: nothing can be fetched from Debian"
  fi
  doctor_namespaces=yes
  if user_namespaces_work; then
    present "user namespaces" "" "the kernel"
  else
    doctor_namespaces=
    unneeded "user namespaces" "the kernel refuses them to this user: programs fetched from Debian cannot run"
  fi
}

can_borrow() { [ -n "$doctor_apt" ] && [ -n "$doctor_namespaces" ]; }

examine_node() {
  doctor_npm_on_path=
  if find_program npm --version && [ -n "$found_version" ]; then doctor_npm_on_path=yes; fi
  doctor_node_fits=
  if program_suffices node --version "$node_minimum"; then
    doctor_node_fits=yes
    present node "$found_version" "$found_path"
  elif doctor_node=$(set -- "$cache"/node-linux-*-"$node_version"/bin/node && [ -x "$1" ] && echo "$1"); then
    present node "$node_version" "$doctor_node"
  elif [ -n "$doctor_npm_on_path" ]; then
    obtainable node "52 MB from the npm registry, about 10 s"
  elif can_borrow; then
    obtainable node "52 MB from the npm registry, through an npm borrowed from Debian (66 MB): about 45 s"
  else
    missing node "as root: apt-get install npm; or put Node $node_minimum or later, with npm, on PATH"
  fi

  if [ -n "$doctor_node_fits" ] && program_suffices npm --version "$npm_minimum"; then
    present npm "$found_version" "$found_path"
  elif [ -f "$cache/npm-$npm_version/bin/npm-cli.js" ]; then
    present npm "$npm_version" "$cache/npm-$npm_version"
  elif node_modules_are_right && [ -n "$doctor_node_fits" ]; then
    unneeded npm "the project's packages are installed already"
  elif [ -n "$doctor_npm_on_path" ]; then
    obtainable npm "3 MB from the npm registry, about 2 s"
  elif can_borrow; then
    obtainable npm "3 MB from the npm registry, through an npm borrowed from Debian (66 MB): about 30 s"
  else
    missing npm "as root: apt-get install npm"
  fi

  doctor_dynamic=$root/node_modules/@pulumi/pulumi/pulumi-resource-pulumi-nodejs
  if node_modules_are_right; then
    present node_modules "" "$root/node_modules"
    present "dynamic-provider host" "$(installed_version @pulumi/pulumi)" "$doctor_dynamic"
  else
    obtainable node_modules "360 MB on disk from the npm registry, about 20 s"
    obtainable "dynamic-provider host" "part of node_modules"
  fi
}

installed_version() {
  sed -n 's/^ *"version": "\([^"]*\)".*/\1/p' "$root/node_modules/$1/package.json" | head -n 1
}

examine_pulumi() {
  doctor_pulumi_fits=yes
  pulumi_official=$cache/pulumi-$pulumi_version
  pulumi_built=$cache/pulumi-$pulumi_built_version-built
  if pulumi_on_path_suffices; then
    present pulumi "$found_version" "$found_path"
    doctor_host=$(command -v pulumi-language-nodejs) ||
      doctor_host=$(dirname "$(readlink -f "$found_path")")/pulumi-language-nodejs
    present "language host" "" "$doctor_host"
  elif pulumi_in_cache; then
    case $pulumi_dir in
    *-built) present pulumi "$pulumi_built_version" "$pulumi_dir/pulumi" ;;
    *) present pulumi "$pulumi_version" "$pulumi_dir/pulumi" ;;
    esac
    present "language host" "" "$pulumi_dir/pulumi-language-nodejs"
  else
    doctor_pulumi_fits=
    obtainable pulumi "120 MB from the official site, about 30 s; where that is out of reach, built from Go modules: about 7 min, 4 GB on disk meanwhile"
    obtainable "language host" "comes with pulumi; built from Go modules: about 1 min"
  fi

  if program_suffices go version "$go_version"; then
    present go "$found_version" "$found_path"
  elif [ -n "$doctor_pulumi_fits" ]; then
    unneeded go "only building Pulumi needs it"
  elif [ -n "$found_path" ]; then
    obtainable go "60 MB from the Go module proxy, about 15 s, if Pulumi has to be built"
  elif [ -n "$doctor_apt" ]; then
    obtainable go "60 MB from the Go module proxy, through a Go borrowed from Debian (60 MB): about 40 s, if Pulumi has to be built"
  else
    unneeded go "only building Pulumi needs it: install Go $go_version or later if the official download is out of reach"
  fi
}

examine_services() {
  doctor_sysroot=
  for doctor_marker in "$cache"/sysroot-*/.debian-tree; do
    if [ -f "$doctor_marker" ]; then doctor_sysroot=${doctor_marker%/.debian-tree}; fi
  done
  doctor_absent=
  examine_service PostgreSQL postgres
  examine_timescaledb
  examine_service PgBouncer pgbouncer
  examine_service Redis redis-server
  examine_service Prometheus prometheus

  if [ -n "$doctor_sysroot" ] && [ -n "$doctor_namespaces" ]; then
    present "services from Debian" "13 (trixie)" "$doctor_sysroot"
  elif [ -z "$doctor_absent" ]; then
    unneeded "services from Debian" "all of them are on PATH"
  elif can_borrow; then
    obtainable "services from Debian" "160 MB, 730 MB on disk, about 30 s"
  elif [ -n "$doctor_apt" ]; then
    missing "services from Debian" "as root: allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0), or install:$doctor_absent"
  else
    missing "services from Debian" "install and put on PATH:$doctor_absent"
  fi
}

# Debian keeps PostgreSQL's own programs off PATH.
service_program() {
  command -v "$1" && return 0
  for service_path in /usr/lib/postgresql/*/bin/"$1" /usr/sbin/"$1"; do
    if [ -x "$service_path" ]; then
      echo "$service_path"
      return 0
    fi
  done
  return 1
}

examine_service() {
  if service_path=$(service_program "$2"); then
    present "$1" "$("$service_path" --version 2>&1 | sed -n 's/^[^0-9]*\([0-9][0-9.]*[0-9]\).*/\1/p' | head -n 1)" "$service_path"
  else
    unneeded "$1" "not on PATH: comes from Debian"
    doctor_absent="$doctor_absent $2"
  fi
}

examine_timescaledb() {
  doctor_extension=
  if service_path=$(service_program pg_config); then
    doctor_extension=$("$service_path" --sharedir)/extension/timescaledb.control
  fi
  if [ -r "$doctor_extension" ]; then
    present TimescaleDB "$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$doctor_extension")" "$doctor_extension"
  else
    unneeded TimescaleDB "not installed: comes from Debian"
    doctor_absent="$doctor_absent timescaledb"
  fi
}

report() {
  if [ -n "$doctor_json" ]; then
    printf '%s' "$doctor_lines" | awk -F'|' -v cache="$cache" -v ok="$doctor_ok" '
      function text(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
      function field(key, s) { return s == "" ? "" : ", \"" key "\": " text(s) }
      BEGIN { printf "{\"ok\": %s, \"cache\": %s, \"items\": [", ok, text(cache) }
      { printf "%s\n  {\"name\": %s, \"state\": %s%s%s%s%s}", (NR > 1 ? "," : ""), text($1), text($2),
          field("version", $3), field("from", $4), field("cost", $5), field($2 == "missing" ? "remedy" : "reason", $6) }
      END { print "\n]}" }'
  else
    printf '%s' "$doctor_lines" | awk -F'|' -v cache="$cache" -v ok="$doctor_ok" '
      BEGIN { word["present"] = "present"; word["obtainable"] = "to fetch"; word["unneeded"] = "-"; word["missing"] = "MISSING" }
      { printf "%-8s  %-22s %-12s %s\n", word[$2], $1, $3, $4 $5 $6 }
      END {
        print ""
        print "Cache folder: " cache " (delete it to start afresh; TIMELIFT_CACHE moves it)"
        if (ok == "true") print "Everything needed is there, or is fetched by the first command that needs it."
        else print "What is MISSING has to be put there by hand, as said in its line."
      }'
  fi
}
