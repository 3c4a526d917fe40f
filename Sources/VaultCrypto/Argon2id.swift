import CSodium
public import VaultBase

/// Keys from passphrases (RFC 9106).
public enum Argon2id {
    /// What the derivation costs; kept beside what it opens.
    public struct Cost: Sendable, Equatable {
        /// Passes over the memory, 1 to 64.
        public var passes: UInt32
        /// Memory in KiB, 8 KiB to 2 GiB.
        public var kibibytes: UInt32

        /// Half a second and 256 MiB: what an unlock takes.
        public static let moderate = Cost(passes: 3, kibibytes: 256 << 10)
        /// Several seconds and 1 GiB: for a recovery slot that is opened once in years.
        public static let sensitive = Cost(passes: 4, kibibytes: 1 << 20)

        public init(passes: UInt32, kibibytes: UInt32) {
            self.passes = passes
            self.kibibytes = kibibytes
        }

        /// Whether the numbers are ones a vault would have written, so that a forged file cannot ask for all memory.
        public var isReasonable: Bool { (1...64).contains(passes) && (8...(2 << 20)).contains(kibibytes) }
    }

    /// Bytes of salt.
    public static let saltSize = 16

    /// The key of `passphrase`.
    ///
    /// - Throws: `bad-request` for an unreasonable cost or salt; `unavailable` when there is not enough memory.
    public static func derive(_ passphrase: Secret, salt: [UInt8], cost: Cost) throws(VaultError) -> GuardedKey {
        guard cost.isReasonable, salt.count == saltSize else {
            throw VaultError(.badRequest, "the passphrase's cost or salt is out of bounds")
        }
        _ = Sodium.ready
        var failed = false
        let key = try GuardedKey { output in
            passphrase.withBytes { passphrase in
                failed =
                    crypto_pwhash(
                        output.start, UInt64(output.count),
                        UnsafeRawPointer(passphrase.start).assumingMemoryBound(to: CChar.self),
                        UInt64(passphrase.count), salt,
                        UInt64(cost.passes), Int(cost.kibibytes) << 10, crypto_pwhash_ALG_ARGON2ID13) != 0
            }
        }
        if failed {
            throw VaultError(
                .unavailable, "not enough memory to derive the key: \(cost.kibibytes >> 10) MiB are needed")
        }
        return key
    }
}
