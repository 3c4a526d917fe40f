/// Names one user of the application: 1 to 128 bytes of UTF-8 without control characters.
///
/// The vault makes random ones; an application may bring its own.
public struct UserID: Hashable, Sendable, CustomStringConvertible {
    /// The longest name, in bytes.
    public static let limit = 128

    public let rawValue: String
    public var description: String { rawValue }

    /// - Throws: ``VaultError`` with code `bad-request` for an empty name, one over ``limit`` bytes, or
    ///   one with control characters (a NUL would end the store's key early).
    public init(_ name: String) throws(VaultError) {
        var name = name
        let isGood = name.withUTF8 { (1...Self.limit).contains($0.count) && !$0.contains { $0 < 0x20 || $0 == 0x7F } }
        guard isGood else {
            throw VaultError(
                .badRequest, "a user name must be 1 to \(Self.limit) bytes without control characters",
                hint: "see the users there are with: vault connections")
        }
        rawValue = name
    }
}

/// Names one platform of the configuration: 1 to 32 of `a-z`, `0-9` and `-`.
///
/// It is the `{platform}` of the endpoints and, after `platform#`, the sort key of a record.
public struct PlatformName: Hashable, Sendable, CustomStringConvertible, Comparable {
    /// The longest name, in bytes.
    public static let limit = 32

    public let rawValue: String
    public var description: String { rawValue }

    /// - Throws: ``VaultError`` with code `bad-request` for a name that is not of this form.
    public init(_ name: String) throws(VaultError) {
        var name = name
        let isGood = name.withUTF8 { name in
            (1...Self.limit).contains(name.count)
                && name.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        }
        guard isGood else {
            throw VaultError(
                .badRequest, "a platform name is 1 to \(Self.limit) of a-z, 0-9 and -",
                hint: "see the platforms there are with: vault plugins")
        }
        rawValue = name
    }

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
