# shellcheck shell=sh
# Running the programs of a Debian tree, which expect to find their files at /, as any user.

user_namespaces_work() {
  unshare -Urm true 2>/dev/null
}

# in_tree TREE COMMAND... : bubblewrap comes from the tree too, so it is started through the tree's own loader.
# The user's home (npm's settings, certificates) and the certificates that the environment names are there to read.
in_tree() {
  tree_root=$1
  shift
  for tree_loader in "$tree_root"/usr/lib/*/ld-linux*.so.*; do break; done
  tree_home=
  [ "$HOME" = / ] || tree_home=$HOME
  tree_certificates=
  [ ! -r /etc/ssl/certs/ca-certificates.crt ] || tree_certificates=/etc/ssl/certs
  "$tree_loader" --library-path "${tree_loader%/*}" "$tree_root/usr/bin/bwrap" \
    --unshare-user --uid "$(id -u)" --gid "$(id -g)" --bind "$tree_root" / --proc /proc --dev /dev --tmpfs /tmp \
    --ro-bind-try /etc/resolv.conf /etc/resolv.conf --ro-bind-try /etc/hosts /etc/hosts \
    ${tree_home:+--ro-bind-try "$tree_home" "$tree_home"} \
    ${tree_certificates:+--ro-bind "$tree_certificates" "$tree_certificates"} \
    ${SSL_CERT_FILE:+--ro-bind-try "$SSL_CERT_FILE" "$SSL_CERT_FILE"} \
    ${NODE_EXTRA_CA_CERTS:+--ro-bind-try "$NODE_EXTRA_CA_CERTS" "$NODE_EXTRA_CA_CERTS"} \
    --bind "$cache" "$cache" --chdir "$cache" --setenv PATH /usr/bin:/bin "$@"
}
