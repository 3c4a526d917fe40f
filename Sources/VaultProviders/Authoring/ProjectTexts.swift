// The files of a new project that its author will change.

extension PluginProject {
    var cSource: String {
        """
        #include "vault_plugin.h"

        /* Everything that is left out is plain OAuth 2.1; vault/vault_plugin.h says what there is. */
        static const vault_provider_v1 provider = {
            .abi = VAULT_ABI_V1,
            .id = "\(name)",
            .name = "\(title)",
            .issuer = "https://\(name).example",
            .authorize = "https://\(name).example/authorize",
            .token = "https://\(name).example/token",
            .revoke = "https://\(name).example/revoke",
            .profile = "https://\(name).example/me",
            .scopes = "profile",
            .account_id = "id", /* where the profile's answer has the account's id; "data/id" goes down a level */
            .display_name = "name",
        };

        const vault_provider_v1 *vault_plugin_v1(void) { return &provider; }

        """
    }

    var swiftSource: String {
        """
        import VaultABI
        import VaultPluginKit

        // Everything that is left out is plain OAuth 2.1; vault/vault_plugin.h says what there is.
        @c @implementation
        public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
            var provider = Provider(id: "\(name)", name: "\(title)", issuer: "https://\(name).example")
            provider.authorize = "https://\(name).example/authorize"
            provider.token = "https://\(name).example/token"
            provider.revoke = "https://\(name).example/revoke"
            provider.profile = "https://\(name).example/me"
            provider.scopes = "profile"
            provider.accountID = "id"  // where the profile's answer has the account's id; "data/id" goes down a level
            provider.displayName = "name"
            return provider.published()
        }

        """
    }

    var cScript: String {
        """
        #!/bin/sh
        # Builds \(product) with cc and nothing else.
        set -eu
        cd "$(dirname "$0")"
        umask 022 # vault refuses a plugin that others may write
        "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Werror -pedantic -shared -fPIC -fvisibility=hidden -Ivault *.c \\
            -Wl,--version-script=vault/export.map -Wl,--no-undefined -Wl,-s -Wl,-z,relro,-z,now -o \(product).new
        chmod 755 \(product).new
        mv \(product).new \(product) # never a half-written one, and never one changed under a running vault
        echo "built $PWD/\(product); check it with: vault plugin check \(product)"

        """
    }

    var swiftScript: String {
        """
        #!/bin/sh
        # Builds \(product) with swiftc and nothing else: Embedded Swift, so it needs the C library alone.
        set -eu
        cd "$(dirname "$0")"
        umask 022 # vault refuses a plugin that others may write
        swiftc=${SWIFTC:-swiftc}
        mode="-O -wmo -parse-as-library -swift-version 6 -enable-experimental-feature Embedded -I vault -I .build"
        mkdir -p .build
        # shellcheck disable=SC2086 # words on purpose
        "$swiftc" $mode -module-name VaultPluginKit -emit-module -emit-module-path .build/VaultPluginKit.swiftmodule \\
            -c vault/VaultPluginKit/*.swift -o .build/VaultPluginKit.o
        # shellcheck disable=SC2086
        "$swiftc" $mode -module-name \(title)Plugin -emit-library *.swift .build/VaultPluginKit.o \\
            -Xlinker --version-script=vault/export.map -Xlinker --gc-sections -Xlinker -s -Xlinker --no-undefined \\
            -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now -o \(product).new
        chmod 755 \(product).new
        mv \(product).new \(product) # never a half-written one, and never one changed under a running vault
        echo "built $PWD/\(product); check it with: vault plugin check \(product)"

        """
    }

    var readme: String {
        """
        # \(title) for vault

        `\(source)` says how \(title)'s OAuth server behaves. `vault/` is vault's: the header, which is the manual, and what
        the build needs.

        ```sh
        sh build.sh                     # makes \(product); needs \(language == .c ? "cc" : "swiftc") alone
        vault plugin check \(product)    # holds it to every promise of the header
        ```

        Copy `\(product)` to the folder that `plugins.path` of vault.conf names, and add:

        ```toml
        [platforms.\(name)]
        client-id = "…"
        client-secret = "file:/run/secrets/\(name)"
        ```

        `vault plugins reload` takes it into a running server.

        """
    }
}
