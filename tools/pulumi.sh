# shellcheck shell=sh
# The Pulumi CLI and its Node language host: the pair on PATH where new enough, else the official download,
# else built from Go modules. The dynamic-provider host is part of the package @pulumi/pulumi.

provider_host=pulumi-resource-pulumi-nodejs

pulumi_on_path_suffices() {
  program_suffices pulumi version "$pulumi_minimum" || return 1
  # Pulumi looks for its language hosts on PATH and in its own folder.
  [ -n "$(command -v pulumi-language-nodejs)" ] ||
    [ -x "$(dirname "$(readlink -f "$found_path")")/pulumi-language-nodejs" ]
}

# Puts Pulumi, if it is not there, and the dynamic-provider host on PATH.
ensure_pulumi() {
  pulumi_official=$cache/pulumi-$pulumi_version
  pulumi_built=$cache/pulumi-$pulumi_built_version-built
  if ! pulumi_on_path_suffices; then
    if ! pulumi_in_cache; then with_lock "$cache/pulumi.lock" "fetching Pulumi" get_pulumi; fi
    if [ ! -x "$pulumi_dir/$provider_host" ]; then copy_provider_host; fi
    PATH=$pulumi_dir:$PATH
  elif [ ! -x "$(dirname "$(readlink -f "$found_path")")/$provider_host" ]; then
    PATH=$PATH:$root/node_modules/@pulumi/pulumi
  fi
}

# Pulumi warns of a host that it finds on PATH, at each run, and takes one beside itself for its own. It is a
# script that looks for the package from the current folder, so any project's copy serves all.
copy_provider_host() {
  cp "$root/node_modules/@pulumi/pulumi/$provider_host" "$pulumi_dir/.$provider_host.$$"
  mv "$pulumi_dir/.$provider_host.$$" "$pulumi_dir/$provider_host"
}

# Sets pulumi_dir.
pulumi_in_cache() {
  for pulumi_dir in "$pulumi_official/bin" "$pulumi_built"; do
    if [ -x "$pulumi_dir/pulumi" ] && [ -x "$pulumi_dir/pulumi-language-nodejs" ]; then return 0; fi
  done
  return 1
}

get_pulumi() {
  if pulumi_in_cache; then return 0; fi
  download_pulumi || build_pulumi
  pulumi_in_cache
}

# @pulumi/pulumi carries Pulumi's own installer, which knows where the official download is.
download_pulumi() {
  rm -rf "$pulumi_official.part"
  need_space "$cache" 800 "Pulumi $pulumi_version"
  say "downloading Pulumi $pulumi_version, 120 MB (about 30 s; it gives up after 10 s if the site cannot be reached)"
  if NODE_USE_SYSTEM_CA=1 node "$root/tools/pulumi-download.mjs" "$pulumi_version" "$pulumi_official.part" >"$cache/pulumi.log" 2>&1; then
    mv "$pulumi_official.part" "$pulumi_official"
    rm -f "$cache/pulumi.log"
  else
    last_lines "$cache/pulumi.log"
    rm -rf "$pulumi_official.part" "$cache/pulumi.log"
    say "the official download is out of reach from here"
    return 1
  fi
}

build_pulumi() {
  need_space "$cache" 5000 "building Pulumi"
  ensure_go
  ensure_certificates
  mkdir -p "$pulumi_built.part" "$go_dir"
  say "building Pulumi's Node language host $language_host_built_version from its Go modules (about 1 min)"
  go_build pulumi-language-nodejs github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs \
    "$language_host_built_version" 530
  say "building Pulumi $pulumi_built_version from its Go modules (about 7 min on two cores; once)"
  go_build pulumi-cli github.com/pulumi/pulumi/pkg/v3/cmd/pulumi "$pulumi_built_version" 1680
  mv "$pulumi_built.part" "$pulumi_built"
  # 4 GB of modules and objects, unless they are in the user's own caches.
  chmod -R u+w "$go_dir"
  rm -rf "$go_dir"
}

# go_build MODULE-FOLDER PACKAGE VERSION COUNT : COUNT packages have to be compiled.
go_build() {
  {
    (
      cd "$root/tools/$1" &&
        CGO_ENABLED=0 GO111MODULE=on GOWORK=off GOFLAGS='-mod=readonly -modcacherw -buildvcs=false' \
          "$go" build -v -o "$pulumi_built.part/" \
          -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$3" "$2"
    ) 2>&1 && : >"$go_dir/built"
  } | tee "$go_dir/log" | say_progress "$4"
  [ -e "$go_dir/built" ] || go_failed "$go_dir/log" "Pulumi could not be built ($1)"
  rm -f "$go_dir/built"
}

# Reads what `go build -v` prints: a line a download, a line a package.
say_progress() {
  progress_packages=0
  while read -r progress_line; do
    case $progress_line in
    go:*) ;;
    *)
      progress_packages=$((progress_packages + 1))
      if [ $((progress_packages % 200)) -eq 0 ]; then say "  $progress_packages of $1 packages compiled"; fi
      ;;
    esac
  done
}
