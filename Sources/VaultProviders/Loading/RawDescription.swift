import VaultABI
import VaultBase

/// What a plugin said, copied out of its memory and not yet believed: names and texts, as they crossed a pointer or
/// a socket. Both isolation modes read it by the same rules (``DescriptionReader``).
struct RawDescription: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        var name: String
        var value: String
    }
    private(set) var entries: [Entry] = []

    /// The longest text, in bytes, and the longest array of a description (vault_plugin.h).
    static let textLimit = 4095
    static let arrayLimit = 64
    /// The most entries there can be.
    static let entryLimit = 1024

    init(entries: [Entry]) { self.entries = entries }

    /// Copies a description. It reads no further than the limits, but it has to trust the pointers: a plugin that
    /// gives wild ones crashes the process it runs in, which by default is its own.
    ///
    /// - Throws: `plugin`, for another ABI, a text or an array over the limit, or bytes that are not UTF-8.
    init(copying source: UnsafePointer<vault_provider_v1>) throws(VaultError) {
        // First of all: of any other version nothing else may be read.
        guard source.pointee.abi == VAULT_ABI_V1 else {
            throw VaultError(
                .plugin, "it speaks version \(source.pointee.abi) of the plugin interface, this vault speaks 1",
                hint: "build it again with this vault's vault_plugin.h")
        }
        let provider = source.pointee
        for (name, number) in [
            ("flags", provider.flags), ("discovery", provider.discovery), ("flow", provider.flow),
            ("pkce", provider.pkce), ("client", provider.client), ("state", provider.state),
            ("refresh_rule", provider.refresh_rule), ("account", provider.account),
            ("revocation", provider.revocation),
        ] {
            entries.append(Entry(name: name, value: "\(number)"))
        }
        for (name, number) in [
            ("absolute_lifetime", provider.absolute_lifetime), ("idle_lifetime", provider.idle_lifetime),
            ("default_lifetime", provider.default_lifetime), ("validate_every", provider.validate_every),
        ] {
            entries.append(Entry(name: name, value: "\(number)"))
        }
        for (name, text) in [
            ("id", provider.id), ("name", provider.name), ("issuer", provider.issuer),
            ("issuer_aliases", provider.issuer_aliases), ("authorize", provider.authorize), ("token", provider.token),
            ("refresh", provider.refresh), ("revoke", provider.revoke), ("profile", provider.profile),
            ("validate", provider.validate), ("hosts", provider.hosts), ("scopes", provider.scopes),
            ("scope_separator", provider.scope_separator), ("settings", provider.settings),
            ("account_id", provider.account_id), ("display_name", provider.display_name),
            ("access_token", provider.access_token), ("refresh_token", provider.refresh_token),
            ("scope", provider.scope), ("id_token", provider.id_token), ("expires_in", provider.expires_in),
            ("api_header", provider.api_header), ("api_prefix", provider.api_prefix),
            ("api_query", provider.api_query), ("revoke_token_parameter", provider.revoke_token_parameter),
            ("revoke_statuses", provider.revoke_statuses),
        ] {
            try add(name, text)
        }
        for (name, pairs) in [
            ("names", provider.names), ("authorize_parameters", provider.authorize_parameters),
            ("token_parameters", provider.token_parameters), ("refresh_parameters", provider.refresh_parameters),
            ("revoke_parameters", provider.revoke_parameters), ("api_headers", provider.api_headers),
            ("more", provider.more),
        ] {
            try add(name, pairs)
        }
        try add(shapes: provider.shapes)
        try add(errors: provider.errors)
        if provider.prepare != nil { entries.append(Entry(name: "prepare", value: "1")) }
        if provider.parse != nil { entries.append(Entry(name: "parse", value: "1")) }
    }

    private mutating func add(_ name: String, _ pointer: UnsafePointer<CChar>?) throws(VaultError) {
        guard let pointer else { return }
        entries.append(Entry(name: name, value: try Self.text(pointer, name)))
    }

    private mutating func add(_ name: String, _ pairs: UnsafePointer<vault_pair_v1>?) throws(VaultError) {
        guard let pairs else { return }
        var index = 0
        while let key = pairs[index].name {
            try Self.check(index, name)
            let key = try Self.text(key, name)
            guard !key.contains("/") else {
                throw VaultError(.plugin, "its \(name) has a slash in the name \(key)", hint: Self.authorHint)
            }
            try add("\(name)/\(key)", pairs[index].value)
            index += 1
        }
    }

    private mutating func add(shapes: UnsafePointer<vault_shape_v1>?) throws(VaultError) {
        guard let shapes else { return }
        var index = 0
        while let stage = shapes[index].stage {
            try Self.check(index, "shapes")
            let prefix = "shapes/\(try Self.text(stage, "shapes"))"
            try add("\(prefix)/method", shapes[index].method)
            entries.append(Entry(name: "\(prefix)/encoding", value: "\(shapes[index].encoding)"))
            entries.append(Entry(name: "\(prefix)/authentication", value: "\(shapes[index].authentication)"))
            try add("\(prefix)/headers", shapes[index].headers)
            index += 1
        }
    }

    private mutating func add(errors: UnsafePointer<vault_error_v1>?) throws(VaultError) {
        guard let errors else { return }
        var index = 0
        while errors[index].failure != 0 {
            try Self.check(index, "errors")
            entries.append(Entry(name: "errors/\(index)/failure", value: "\(errors[index].failure)"))
            entries.append(Entry(name: "errors/\(index)/status", value: "\(errors[index].status)"))
            try add("errors/\(index)/path", errors[index].path)
            try add("errors/\(index)/equals", errors[index].equals)
            try add("errors/\(index)/contains", errors[index].contains)
            index += 1
        }
    }

    private static func check(_ index: Int, _ name: String) throws(VaultError) {
        guard index < arrayLimit else {
            throw VaultError(.plugin, "its \(name) has more than \(arrayLimit) elements, or no end", hint: authorHint)
        }
    }

    private static func text(_ pointer: UnsafePointer<CChar>, _ name: String) throws(VaultError) -> String {
        var count = 0
        while count <= textLimit, pointer[count] != 0 { count += 1 }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: count)
        guard count <= textLimit, let text = String(validating: bytes, as: UTF8.self) else {
            throw VaultError(.plugin, "its \(name) is not UTF-8 of at most \(textLimit) bytes", hint: authorHint)
        }
        return text
    }

    static let authorHint = "this is for the plugin's author to mend: vault_plugin.h says what is allowed"
}
