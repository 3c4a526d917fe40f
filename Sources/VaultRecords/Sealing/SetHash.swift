import VaultCrypto

/// A keyed hash of a set, to which one entry at a time is added or removed: the sum, modulo 2^256, of
/// BLAKE2b-256(state key, "vault-set-v1", table u8 ‖ u32 length ‖ key ‖ header ‖ tag) over all entries.
///
/// (MSet-Add-Hash of Clarke et al. 2003.) Entry seals notice what was changed; this notices what was
/// dropped, doubled, or put back from before.
struct SetHash: Equatable, Sendable {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    static func == (a: Self, b: Self) -> Bool { a.words == b.words }

    static func += (sum: inout Self, entry: Self) {
        var carry = false
        func add(_ a: UInt64, _ b: UInt64) -> UInt64 {
            let (first, one) = a.addingReportingOverflow(b)
            let (second, two) = first.addingReportingOverflow(carry ? 1 : 0)
            carry = one || two
            return second
        }
        sum.words = (
            add(sum.words.0, entry.words.0), add(sum.words.1, entry.words.1), add(sum.words.2, entry.words.2),
            add(sum.words.3, entry.words.3)
        )
    }

    static func -= (sum: inout Self, entry: Self) {
        var borrow = false
        func subtract(_ a: UInt64, _ b: UInt64) -> UInt64 {
            let (first, one) = a.subtractingReportingOverflow(b)
            let (second, two) = first.subtractingReportingOverflow(borrow ? 1 : 0)
            borrow = one || two
            return second
        }
        sum.words = (
            subtract(sum.words.0, entry.words.0), subtract(sum.words.1, entry.words.1),
            subtract(sum.words.2, entry.words.2), subtract(sum.words.3, entry.words.3)
        )
    }

    /// The element of one entry.
    init(_ table: SealedTable, _ key: UnsafeRawBufferPointer, _ stamp: Stamp, _ keys: VaultKeys) {
        withUnsafeTemporaryAllocation(byteCount: 5 + key.count + Stamp.size, alignment: 8) { scratch in
            var message = ByteWriter(scratch)
            message.u8(table.rawValue)
            message.u32(UInt32(key.count))
            message.bytes(key)
            stamp.withBytes { message.bytes($0) }
            withUnsafeMutableBytes(of: &words) {
                Blake2b.hash(
                    UnsafeRawBufferPointer(scratch), key: keys.keyring.stateKey.address, for: Self.purpose, into: $0)
            }
        }
        words = (
            UInt64(littleEndian: words.0), UInt64(littleEndian: words.1), UInt64(littleEndian: words.2),
            UInt64(littleEndian: words.3)
        )
    }

    init() {}

    private static let purpose = Purpose("vault-set-v1")
}

/// What tells one sealed value from every other: its header and its tag.
struct Stamp {
    static let size = Header.size + 16
    private var bytes: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)

    /// - Parameter value: at least an empty envelope long.
    init?(_ value: UnsafeRawBufferPointer) {
        guard value.count >= Envelope.overhead else { return nil }
        withUnsafeMutableBytes(of: &bytes) {
            $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: value[..<Header.size]))
            UnsafeMutableRawBufferPointer(rebasing: $0[Header.size...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: value[Envelope.boxOffset..<Envelope.overhead]))
        }
    }

    /// - Parameter stamp: ``size`` bytes, as ``withBytes(_:)`` lends them.
    init?(stamp: UnsafeRawBufferPointer) {
        guard stamp.count == Self.size else { return nil }
        withUnsafeMutableBytes(of: &bytes) { $0.copyMemory(from: stamp) }
    }

    /// The term that sealed it.
    var term: UInt32 { withBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) } }

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { withUnsafeBytes(of: bytes, body) }
}
