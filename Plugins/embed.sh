#!/bin/sh
# Writes what `vault plugin new` hands out (the header, the kit, the list of exports) into the program as text. Run it
# after a change to one of them; a test says when that was forgotten.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../Sources
target=$sources/VaultProviders/Authoring/EmbeddedFiles.swift

# text NAME FILE: a member with the file as it is, but for the newline at its end.
text() {
    printf '    static let %s = ##"""\n' "$1"
    sed 's/^\(.\)/        \1/' "$2"
    printf '        """##\n'
}

{
    printf '// Made by Plugins/embed.sh. Change the files it copies, not this one.\n\n'
    printf '/// The files of a plugin project that are the same in all of them.\nenum EmbeddedFiles {\n'
    text header "$sources/VaultABI/include/vault_plugin.h"
    text exportMap "$here/export.map"
    text hooks "$sources/VaultPluginKit/Hooks.swift"
    text provider "$sources/VaultPluginKit/Provider.swift"
    text published "$sources/VaultPluginKit/Published.swift"
    printf '}\n'
} >"$target.new"
mv "$target.new" "$target"
