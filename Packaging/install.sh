#!/bin/sh
# Puts what was built where vault.service and vault.conf look for it: install.sh PRODUCTS ["$DESTDIR"]
#
# Settings that are there stay. Nothing is started: Serving.md says how.
set -eu

products=$1 root=${2:-}
here=$(dirname "$0")

install -d "$root/usr/bin" "$root/usr/lib/vault/plugins" "$root/usr/share/vault" "$root/etc/vault" \
    "$root/usr/lib/systemd/system"
# Beside its place first: a running program or a plugin that is being read is never half a file.
put() {
    install -m "$1" "$2" "$3/.new-$(basename "$2")"
    mv -f "$3/.new-$(basename "$2")" "$3/$(basename "$2")"
}
put 0755 "$products/vault" "$root/usr/bin"
for plugin in "$products"/plugins/*.so; do put 0644 "$plugin" "$root/usr/lib/vault/plugins"; done
put 0644 "$here/vault.service" "$root/usr/lib/systemd/system"
put 0644 "$here/alerts.yml" "$root/usr/share/vault"
if [ -e "$root/etc/vault/vault.conf" ]; then
    put 0644 "$here/../vault.conf" "$root/usr/share/vault"
    echo "vault: kept $root/etc/vault/vault.conf; the new defaults are in $root/usr/share/vault/vault.conf" >&2
else
    put 0644 "$here/../vault.conf" "$root/etc/vault"
fi
echo "vault: installed $root/usr/bin/vault; next: see Sources/Vault/Documentation.docc/Serving.md, As a service" >&2
