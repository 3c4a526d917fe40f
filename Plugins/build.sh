#!/bin/sh
# Builds plugins into OUTDIR, as NAME.so in lower case: C with cc, Swift as Embedded Swift. Each needs the C library
# alone and exports one symbol. What is newer than its sources is left as it is.
#
#   sh Plugins/build.sh OUTDIR              every plugin beside this script
#   sh Plugins/build.sh OUTDIR ../Acme ...  those of the given folders
set -eu
umask 022 # vault refuses a plugin that others may write

[ $# -ge 1 ] || { echo "usage: $0 OUTDIR [FOLDER...]" >&2; exit 64; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
[ $# -ge 1 ] || set -- "$here"/*/
sources=$here/../Sources
work=$out/.build
swiftc=${SWIFTC:-swiftc}
cc=${CC:-$(command -v cc || command -v clang)} # the toolchain of Swift brings clang
mkdir -p "$work"
chmod go-w "$out" # the folder, too

# newer TARGET SOURCE...: whether TARGET is newer than all its sources.
newer() {
    made=$1
    shift
    [ -e "$made" ] || return 1
    for source; do
        # shellcheck disable=SC3013 # not POSIX, but in every sh that is used here
        [ "$source" -nt "$made" ] && return 1
    done
    return 0
}

link="-Wl,--version-script=$here/export.map -Wl,--gc-sections -Wl,-s -Wl,--no-undefined -Wl,-z,relro,-z,now"
swiftlink="-Xlinker --version-script=$here/export.map -Xlinker --gc-sections -Xlinker -s -Xlinker --no-undefined \
    -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now"
embedded="-O -wmo -parse-as-library -swift-version 6 -enable-experimental-feature Embedded"
header=$sources/VaultABI/include/vault_plugin.h

# The kit's module, once.
kit() {
    if newer "$work/VaultPluginKit.o" "$here/build.sh" "$header" "$sources"/VaultPluginKit/*.swift; then return; fi
    mkdir -p "$work/VaultABI"
    cp "$header" "$work/VaultABI/vault_plugin.h"
    printf 'module VaultABI { header "vault_plugin.h" export * }\n' >"$work/VaultABI/module.modulemap"
    # shellcheck disable=SC2086 # words on purpose
    "$swiftc" $embedded -module-name VaultPluginKit -I "$work/VaultABI" -emit-module \
        -emit-module-path "$work/VaultPluginKit.swiftmodule" -c "$sources"/VaultPluginKit/*.swift \
        -o "$work/VaultPluginKit.o"
    touch "$work/VaultPluginKit.o" # swiftc leaves it alone when nothing in it changed
}

for folder; do
    folder=${folder%/}
    name=$(basename "$folder")
    target=$out/$(echo "$name" | tr '[:upper:]' '[:lower:]').so
    set -- "$folder"/*.swift
    if [ -e "$1" ]; then
        kit
        newer "$target" "$here/build.sh" "$here/export.map" "$work/VaultPluginKit.o" "$@" && continue
        # shellcheck disable=SC2086
        "$swiftc" $embedded -module-name "Plugin$name" -I "$work" -I "$work/VaultABI" -emit-library "$@" \
            "$work/VaultPluginKit.o" $swiftlink -o "$target.new"
    else
        set -- "$folder"/*.c
        [ -e "$1" ] || { echo "$folder has neither .swift nor .c" >&2; exit 66; }
        newer "$target" "$here/build.sh" "$here/export.map" "$header" "$@" && continue
        # shellcheck disable=SC2086
        "$cc" -std=c11 -O2 -Wall -Wextra -Werror -pedantic -shared -fPIC -fvisibility=hidden -ffunction-sections \
            -fdata-sections -I"$sources/VaultABI/include" "$@" $link -o "$target.new"
    fi
    chmod 755 "$target.new"
    mv "$target.new" "$target" # never a half-written one, and never one changed under a running vault
    echo "built ${target##*/}"
done
