# shellcheck shell=sh
# A Go that is new enough to build Pulumi; everything fetched for it is deleted after the build.

# Sets go to a program; go_dir holds what is only needed until the build is done.
ensure_go() {
  go_dir=$cache/go
  go=$go_dir/go-$go_version/bin/go
  if program_suffices go version "$go_version"; then
    go=$found_path
  elif [ ! -x "$go" ]; then
    get_go
  fi
  # A user who has Go has its caches too: what is there is not fetched or compiled a second time.
  if [ -z "$(command -v go)" ] || [ ! -d "$(go env GOMODCACHE)" ]; then
    export GOMODCACHE="$go_dir/mod" GOCACHE="$go_dir/build"
  fi
  export GOTOOLCHAIN=local
}

# Go's newer releases are modules too, which an older go fetches and checks against the checksum database.
get_go() {
  case $(uname -m) in
  x86_64) go_platform=linux-amd64 ;;
  aarch64 | arm64) go_platform=linux-arm64 ;;
  *) fail "Pulumi cannot be built on $(uname -m) here" "Install Pulumi $pulumi_minimum or later yourself, and put it on PATH." ;;
  esac
  go_module=golang.org/toolchain@v0.0.1-go$go_version.$go_platform
  mkdir -p "$go_dir"
  if [ -n "$(command -v go)" ]; then
    say "fetching Go $go_version as a module, 60 MB (about 15 s)"
    fetch_go env GOFLAGS=-modcacherw go
  else
    borrow_go
    say "fetching Go $go_version as a module, 60 MB (about 15 s)"
    # Debian's go may want a newer C library than this system's, so it runs with the one it came with.
    for go_loader in "$go_dir"/debian/usr/lib/*/ld-linux*.so.*; do break; done
    for go_root in "$go_dir"/debian/usr/lib/go-*; do break; done
    fetch_go env GOFLAGS=-modcacherw GOROOT="$go_root" "$go_loader" --library-path "${go_loader%/*}" "$go_root/bin/go"
    rm -rf "$go_dir/debian"
  fi
  mv "$go_dir/fetched/$go_module" "$go_dir/go-$go_version"
  # An older go unpacks every file without its permission to run.
  chmod -R u+w "$go_dir/go-$go_version" "$go_dir/fetched"
  chmod +x "$go_dir/go-$go_version"/bin/* "$go_dir/go-$go_version"/pkg/tool/*/*
  rm -rf "$go_dir/fetched"
}

# fetch_go GO... : the command that is go.
fetch_go() {
  (cd "$go_dir" && GOMODCACHE=$go_dir/fetched GOCACHE=$go_dir/build GOTOOLCHAIN=local GO111MODULE=on GOWORK=off \
    "$@" mod download "$go_module") >"$go_dir/log" 2>&1 ||
    go_failed "$go_dir/log" "Go $go_version could not be fetched"
}

borrow_go() {
  say "Go is missing: borrowing Debian's to fetch a current one (about 20 s)"
  "$root/tools/debian-tree" "$go_dir/debian" golang-go ca-certificates || exit 1
}

# A bare system has no certificate authorities, without which nothing that Go downloads could be trusted.
ensure_certificates() {
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
    /etc/ssl/cert.pem "${SSL_CERT_FILE:-}"; do
    if [ -r "$bundle" ]; then return 0; fi
  done
  "$root/tools/debian-tree" "$go_dir/certificates" ca-certificates || exit 1
  export SSL_CERT_FILE="$go_dir/certificates/etc/ssl/certs/ca-certificates.crt"
}

# go_failed LOG PROBLEM
go_failed() {
  last_lines "$1"
  if grep -qi 'no space left' "$1"; then
    fail "$2: the disk is full" "Free some space (4 GB are needed while it builds), then run the same command again."
  fi
  fail "$2" \
    "Is this machine online? Go's own settings apply (GOPROXY, GOSUMDB: go env; HTTPS_PROXY)." \
    "Once it is, run the same command again: it goes on where it stopped. Or install Pulumi $pulumi_minimum or later yourself."
}
