import VaultBase
import VaultCrypto

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// Every sealed value:
//
//   header  0 format u8=1 · 1 algorithm u8=1 · 2 flags u16 · 4 term u32 · 8 version u64 · 16 ends at i64 ms (0 = never)
//   nonce  24
//   box    16 tag, then the padded payload
//
// Secretbox authenticates nothing but what is in the box, so the place is bound by the key: it is made of
// the term's key, the vault, the whole header and the key the value stands under. A value that was moved
// to another user, given another header or taken from another vault does not open.

/// The clear, authenticated beginning of a sealed value.
struct Header: Equatable {
    static let size = 24
    static let padded: UInt16 = 1

    var flags: UInt16 = padded
    var term: UInt32
    var version: UInt64
    /// Milliseconds; 0 for never.
    var endsAt: Int64

    func write(to buffer: UnsafeMutableRawBufferPointer) {
        buffer[0] = 1
        buffer[1] = 1
        buffer.storeBytes(of: flags.littleEndian, toByteOffset: 2, as: UInt16.self)
        buffer.storeBytes(of: term.littleEndian, toByteOffset: 4, as: UInt32.self)
        buffer.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: endsAt.littleEndian, toByteOffset: 16, as: Int64.self)
    }

    func hasEnded(at now: Timestamp) -> Bool { endsAt != 0 && endsAt <= now.rawValue }
}

enum Envelope {
    static let boxOffset = Header.size + SecretBox.nonceSize
    /// Bytes a value is longer than its padded payload.
    static let overhead = boxOffset + SecretBox.overhead

    /// The header of a value, not yet authenticated.
    ///
    /// - Throws: `damaged`, `newer-format`.
    static func header(of value: UnsafeRawBufferPointer) throws(VaultError) -> Header {
        guard value.count > overhead, value[0] >= 1, value[1] >= 1 else { throw EnvelopeError.damaged }
        let flags = UInt16(littleEndian: value.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        guard value[0] == 1, value[1] == 1, flags & ~Header.padded == 0 else { throw EnvelopeError.newer }
        return Header(
            flags: flags, term: UInt32(littleEndian: value.loadUnaligned(fromByteOffset: 4, as: UInt32.self)),
            version: UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            endsAt: Int64(littleEndian: value.loadUnaligned(fromByteOffset: 16, as: Int64.self)))
    }

    /// Opens `value`, found under `key` of `table`, and lends its payload, which is wiped afterwards.
    ///
    /// - Throws: `damaged` when it does not open there, `newer-format`.
    static func open<R>(
        _ value: UnsafeRawBufferPointer, header: Header, under key: UnsafeRawBufferPointer, of table: SealedTable,
        keys: VaultKeys, _ body: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        guard let term = keys.term(header.term) else { throw EnvelopeError.noTerm(header.term) }
        return try withPlaintext(value.count - overhead) { plain in
            let opened = withKey(term, header: start(value), place: key, of: table, keys: keys) { recordKey in
                SecretBox.open(
                    UnsafeRawBufferPointer(rebasing: value[boxOffset...]),
                    nonce: start(value) + Header.size, key: recordKey, into: plain)
            }
            guard opened else { throw EnvelopeError.damaged }
            var length = plain.count
            if header.flags & Header.padded != 0 {
                guard let unpadded = Padding.length(of: UnsafeRawBufferPointer(plain)) else {
                    throw EnvelopeError.damaged
                }
                length = unpadded
            }
            return try body(UnsafeRawBufferPointer(rebasing: plain[..<length]))
        }
    }

    private typealias Lines = SIMD64<UInt64>
    private typealias Room = (Lines, Lines, Lines, Lines)

    /// Lends room for a plaintext, which is wiped afterwards.
    private static func withPlaintext<R>(
        _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> R
    ) rethrows -> R {
        guard count <= MemoryLayout<Room>.size else {
            let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
            defer {
                wipe(plain)
                plain.deallocate()
            }
            return try body(plain)
        }
        // Most values fit here: on the stack, where the function for temporary memory takes no more than 1 KiB.
        var room: Room = (.zero, .zero, .zero, .zero)
        return try withUnsafeMutableBytes(of: &room) { room in
            let plain = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
            defer { wipe(plain) }
            return try body(plain)
        }
    }

    /// Seals the first `count` bytes of `payload`, which has room for the padding, into `value`.
    ///
    /// `value` is ``Padding/total(_:for:)`` of `count` long.
    static func seal(
        _ payload: UnsafeMutableRawBufferPointer, count: Int, header: Header, under key: UnsafeRawBufferPointer,
        of table: SealedTable, keys: VaultKeys, into value: UnsafeMutableRawBufferPointer
    ) {
        guard let term = keys.term(header.term) else {
            preconditionFailure("what is written is sealed by a term we have")
        }
        let padded = UnsafeMutableRawBufferPointer(rebasing: payload[..<(value.count - overhead)])
        Padding.fill(padded, after: count)
        header.write(to: value)
        let nonce = UnsafeMutableRawBufferPointer(rebasing: value[Header.size..<boxOffset])
        Random.fill(nonce)
        withKey(term, header: start(UnsafeRawBufferPointer(value)), place: key, of: table, keys: keys) { recordKey in
            SecretBox.seal(
                UnsafeRawBufferPointer(padded), nonce: start(UnsafeRawBufferPointer(nonce)), key: recordKey,
                into: UnsafeMutableRawBufferPointer(rebasing: value[boxOffset...]))
        }
    }

    /// Lends the key of one value: BLAKE2b-256(term's key, the table's purpose, vault id ‖ header ‖ place).
    ///
    /// The place of a record is its two names, each with its length before it, so that ("a", "bc") is not
    /// ("ab", "c"); that of anything else is its store key with its length before it.
    private static func withKey<R>(
        _ term: UnsafeRawPointer, header: UnsafeRawPointer, place key: UnsafeRawBufferPointer, of table: SealedTable,
        keys: VaultKeys, _ body: (UnsafeRawPointer) -> R
    ) -> R {
        let places = 16 + Header.size
        return withUnsafeTemporaryAllocation(byteCount: places + 8 + key.count + GuardedKey.size, alignment: 8) {
            scratch in
            let output = UnsafeMutableRawBufferPointer(rebasing: scratch[..<GuardedKey.size])
            defer { wipe(output) }
            let message = UnsafeMutableRawPointer(mutating: start(UnsafeRawBufferPointer(scratch))) + GuardedKey.size
            keys.withVaultID { message.copyMemory(from: start($0), byteCount: 16) }
            (message + 16).copyMemory(from: header, byteCount: Header.size)
            var count = places
            func add(_ name: UnsafeRawPointer, _ length: Int) {
                (message + count).storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
                (message + count + 4).copyMemory(from: name, byteCount: length)
                count += 4 + length
            }
            if table == .records, let end = firstZero(in: key) {
                add(start(key), end)
                add(start(key) + end + 1, key.count - end - 1)
            } else {
                add(start(key), key.count)
            }
            // The address of the key is good while the keys are there.
            withExtendedLifetime(keys) {
                Blake2b.hash(
                    UnsafeRawBufferPointer(start: message, count: count), key: term, for: table.purpose, into: output)
            }
            return body(start(UnsafeRawBufferPointer(output)))
        }
    }

    private static func firstZero(in key: UnsafeRawBufferPointer) -> Int? {
        memchr(start(key), 0, key.count).map { UnsafeRawPointer($0) - start(key) }
    }

    // Every buffer here is longer than nothing: the callers have checked.
    private static func start(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
        bytes.baseAddress.unsafelyUnwrapped
    }
}

/// What an envelope says when it does not open; whoever knows the record's name adds it.
enum EnvelopeError {
    static var damaged: VaultError {
        VaultError(.damaged, "a sealed value does not open: it is damaged, was moved, or belongs to another vault")
    }
    static var newer: VaultError {
        VaultError(
            .newerFormat, "a sealed value is of a newer format", hint: "use the version of vault that wrote it")
    }
    static func noTerm(_ id: UInt32) -> VaultError {
        VaultError(.damaged, "a sealed value names term \(id), of which the keyring has no key")
    }
}
