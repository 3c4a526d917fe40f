public import VaultBase

/// A key to be written on paper: 160 random bits in nine groups of four, of which the last tells a slip of the pen.
///
/// The letters are Crockford's base32 (no I, L, O, U); small ones, blanks and dashes do not matter when it
/// is read, O counts as 0, I and L as 1.
public struct RecoveryKey: Sendable, CustomStringConvertible {
    /// The nine groups, for the one time they are shown.
    public let text: Secret
    /// What unlocks: H of the 20 bytes under "vault-recov-v1", see `Documentation.docc/Format`, "Keyring".
    public let key: GuardedKey

    public var description: String { "<redacted>" }

    /// A new one.
    public static func generate() throws(VaultError) -> RecoveryKey {
        var bytes = WipedBytes(count: size)
        bytes.withMutableBytes { Random.fill($0) }
        return try RecoveryKey(bytes)
    }

    /// Reads one that was written down.
    ///
    /// - Throws: `wrong-key` when it is no recovery key, without any part of it.
    public init(_ text: Secret) throws(VaultError) {
        var bytes = WipedBytes(count: Self.size + Self.checkBits / 8 + 1)
        let isWhole = text.withBytes { text in bytes.withMutableBytes { Self.decode(text, into: $0) } }
        guard isWhole else {
            throw VaultError(
                .wrongKey, "that is no recovery key", hint: "it is nine groups of four letters and digits")
        }
        var secret = WipedBytes(count: Self.size)
        secret.withMutableBytes { secret in
            bytes.withBytes { secret.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<Self.size])) }
        }
        let found = bytes.withBytes {
            UInt32($0[Self.size]) << 12 | UInt32($0[Self.size + 1]) << 4 | UInt32($0[Self.size + 2]) >> 4
        }
        guard found == Self.check(secret) else {
            throw VaultError(
                .wrongKey, "the recovery key has a slip in it", hint: "compare each letter with what was written down")
        }
        try self.init(secret)
    }

    private init(_ bytes: borrowing WipedBytes) throws(VaultError) {
        let check = Self.check(bytes)
        var text = WipedBytes(count: Self.textSize)
        text.withMutableBytes { text in
            bytes.withBytes { bytes in
                for index in 0..<Self.letters {
                    // The 20 bytes are 32 letters without a rest; the last four are the check.
                    var value: UInt32 = 0
                    if index < 32 {
                        let bit = index * 5
                        let pair =
                            UInt32(bytes[bit / 8]) << 8 | (bit / 8 + 1 < bytes.count ? UInt32(bytes[bit / 8 + 1]) : 0)
                        value = pair >> UInt32(11 - bit % 8) & 31
                    } else {
                        value = check >> UInt32((Self.letters - 1 - index) * 5) & 31
                    }
                    text[index + index / 4] = Self.alphabet[Int(value)]
                    if index % 4 == 3, index < Self.letters - 1 { text[index + index / 4 + 1] = UInt8(ascii: "-") }
                }
            }
        }
        self.text = text.withBytes { Secret(copying: $0) }
        let message = bytes.withBytes { Secret(copying: $0) }
        key = try message.withBytes { message in
            Result { () throws(VaultError) in
                try GuardedKey { output in
                    Blake2b.hash(message, key: Self.nothing, for: Purpose("vault-recov-v1"), into: output)
                }
            }
        }.get()
    }

    private static func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        var bit = 0
        for character in text where character != UInt8(ascii: "-") && character > 0x20 {
            guard bit < letters * 5, let value = value(of: character) else { return false }
            for place in 0..<5 where value >> UInt8(4 - place) & 1 == 1 {
                bytes[(bit + place) / 8] |= 0x80 >> UInt8((bit + place) % 8)
            }
            bit += 5
        }
        return bit == letters * 5
    }

    private static func value(of character: UInt8) -> UInt8? {
        let upper = (0x61...0x7A).contains(character) ? character - 0x20 : character
        switch upper {
        case UInt8(ascii: "O"): return 0
        case UInt8(ascii: "I"), UInt8(ascii: "L"): return 1
        default: return alphabet.firstIndex(of: upper).map { UInt8($0) }
        }
    }

    /// 20 bits that one wrong or two swapped letters change.
    private static func check(_ bytes: borrowing WipedBytes) -> UInt32 {
        var digest: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &digest) { digest in
            bytes.withBytes { Blake2b.hash($0, into: digest) }
            return UInt32(digest[0]) << 12 | UInt32(digest[1]) << 4 | UInt32(digest[2]) >> 4
        }
    }

    private static let size = 20
    private static let checkBits = 20
    private static let letters = 36
    private static let textSize = 36 + 8
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    /// A key of zeros: the secret is in the message.
    nonisolated(unsafe) private static let nothing: UnsafeRawPointer = {
        let zeros = UnsafeMutableRawPointer.allocate(byteCount: GuardedKey.size, alignment: 8)
        zeros.initializeMemory(as: UInt8.self, repeating: 0, count: GuardedKey.size)
        return UnsafeRawPointer(zeros)
    }()
}
