import VaultABI
import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A plugin's code in this process: the host's own, or the child's.
///
/// It is never unloaded: a Swift plugin's image stays mapped whatever `dlclose` says, and pointers into it live on.
struct PluginImage: @unchecked Sendable {
    // Pointers to code and constants that stay until the process ends.
    private let handle: UnsafeMutableRawPointer
    private(set) var raw = RawDescription(entries: [])
    private(set) var prepare: vault_hook_v1?
    private(set) var parse: vault_hook_v1?

    /// The one symbol. Its name is the version of the ABI.
    static let symbol = "vault_plugin_v1"

    static let noSymbol = VaultError(
        .plugin, "it has no symbol \(symbol)",
        hint: "it is no plugin of this vault, or was built for another version: see Plugin-ABI")

    /// Maps the file; its initialisers run. `RTLD_LOCAL` keeps its symbols to itself, `RTLD_NOW` finds a missing one
    /// here and not in the middle of a login.
    ///
    /// - Throws: `plugin` with the loader's reason.
    init(_ path: String) throws(VaultError) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
            throw VaultError(
                .plugin, "it cannot be loaded: \(Self.short(reason))",
                hint: "see what it needs with: ldd \(path); a plugin should need the C library alone")
        }
        self.handle = handle
    }

    /// Calls the one symbol and copies what it returns.
    ///
    /// - Throws: `plugin`.
    mutating func describe() throws(VaultError) {
        guard let symbol = dlsym(handle, Self.symbol) else { throw Self.noSymbol }
        typealias Entry = @convention(c) () -> UnsafePointer<vault_provider_v1>?
        guard let provider = unsafeBitCast(symbol, to: Entry.self)() else {
            throw VaultError(
                .plugin, "it refuses to work here", hint: "ask its author why vault_plugin_v1 returns NULL")
        }
        raw = try RawDescription(copying: provider)
        (prepare, parse) = (provider.pointee.prepare, provider.pointee.parse)
    }

    var hasHooks: Bool { prepare != nil || parse != nil }

    /// Calls a hook; nil when it refused or returned what the header forbids.
    func call(_ input: HookInput) -> HookOutput? {
        guard let hook = input.hook == .prepare ? prepare : parse else { return nil }
        return HookCall.run(hook, input)
    }

    static func short(_ text: String) -> String {
        String(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value < 0x7F }.prefix(200).map { Character($0) })
    }
}
