package import VaultBase

// The bytes of a wrapped keyring; `Documentation.docc/Format`, "Keyring", is the same in words.
//
//   "VKR1" · format u8=1 · 0 u8 · slots u16 · vault id 16 · generation u32
//   slot*  kind u8 · 0 u8 · length u16 · parameters · key id 16 · nonce 24 · box 48
//   nonce 24 · length u32 · box · checksum 16 (BLAKE2b-128 of all before it)
//
// The checksum tells damage from a wrong key; it protects nothing, the boxes do.

extension Keyring {
    /// The longest a keyring can be, in bytes: what one value of a store holds.
    package static let sizeLimit = 16 << 10
    static let magic = Array("VKR".utf8)
    private static let checksumSize = 16

    /// The keyring, sealed, with a fresh nonce.
    package func encoded() throws(VaultError) -> [UInt8] {
        var out = Self.magic + [UInt8(ascii: "1"), 1, 0]
        out.append(u16: UInt16(slots.count))
        out += vaultID
        out.append(u32: generation)
        for slot in slots {
            out += [slot.kind, 0]
            out.append(u16: UInt16(slot.parameters.count))
            out += slot.parameters + slot.keyID + slot.nonce + slot.box
        }
        let key = try root.derive(Purpose("vault-keyring-v1"), out)
        let nonce = Random.bytes(SecretBox.nonceSize)
        let plain = body()
        var box = [UInt8](repeating: 0, count: plain.count + SecretBox.overhead)
        box.withUnsafeMutableBytes { box in
            nonce.withUnsafeBytes { nonce in
                plain.withBytes {
                    SecretBox.seal($0, nonce: nonce.baseAddress.unsafelyUnwrapped, key: key.address, into: box)
                }
            }
        }
        out += nonce
        out.append(u32: UInt32(box.count))
        out += box
        out += Self.checksum(out[...])
        guard out.count <= Self.sizeLimit else {
            throw VaultError(.conflict, "the keyring would be longer than \(Self.sizeLimit) bytes")
        }
        return out
    }

    /// Opens a keyring with a key that one of its slots was wrapped by.
    ///
    /// - Throws: `wrong-key` when the bytes are whole and no slot is this key's, `damaged`, `newer-format`.
    package static func open(_ bytes: [UInt8], with key: GuardedKey) throws(VaultError) -> Keyring {
        let sealed = try parse(bytes)
        let id = keyID(of: key, vaultID: sealed.vaultID)
        let candidates = sealed.slots.filter { $0.keyID == id }
        guard !candidates.isEmpty else {
            throw VaultError(
                .wrongKey, "the key does not open this vault",
                hint: "the vault is \(Hex.encode(sealed.vaultID)); give the key it was made with")
        }
        var root: GuardedKey?
        for slot in candidates where root == nil { root = try unwrap(slot, by: key, vaultID: sealed.vaultID) }
        guard let root else { throw damaged }
        return try open(sealed, root: root)
    }

    /// The keyring's bytes, opened again before they are handed out: with its own root, and with `key` if
    /// that is to open them from now on.
    ///
    /// - Throws: `internal` when they do not open to the same keys, which nobody may commit.
    package func provenBytes(with key: GuardedKey? = nil) throws(VaultError) -> [UInt8] {
        try proven(try encoded(), with: key)
    }

    /// `bytes`, once they have opened to this keyring's keys.
    package func proven(_ bytes: [UInt8], with key: GuardedKey? = nil) throws(VaultError) -> [UInt8] {
        var copies = [try Self.open(Self.parse(bytes), root: root)]
        if let key { copies.append(try Self.open(bytes, with: key)) }
        guard copies.allSatisfy({ $0.holdsTheSame(as: self) }) else {
            throw VaultError(.internal, "the keyring does not open to what was put into it; nothing was changed")
        }
        return bytes
    }

    private func holdsTheSame(as other: Keyring) -> Bool {
        generation == other.generation && slots == other.slots && root.equals(other.root)
            && stateKey.equals(other.stateKey) && indexKey.equals(other.indexKey) && backupKey.equals(other.backupKey)
            && terms.count == other.terms.count
            && zip(terms, other.terms).allSatisfy { mine, its in
                guard mine.id == its.id, mine.state == its.state, mine.createdAt == its.createdAt else { return false }
                switch (mine.key, its.key) {
                case (nil, nil): return true
                case (let mine?, let its?): return mine.equals(its)
                default: return false
                }
            }
    }

    private static func open(_ sealed: Sealed, root: GuardedKey) throws(VaultError) -> Keyring {
        let bodyKey = try root.derive(Purpose("vault-keyring-v1"), sealed.head)
        var plain = WipedBytes(count: sealed.box.count - SecretBox.overhead)
        let opened = plain.withMutableBytes { plain in
            sealed.box.withUnsafeBytes { box in
                sealed.nonce.withUnsafeBytes { nonce in
                    SecretBox.open(box, nonce: nonce.baseAddress.unsafelyUnwrapped, key: bodyKey.address, into: plain)
                }
            }
        }
        guard opened else { throw damaged }
        let body = plain.withBytes { plain in Result { () throws(VaultError) in try Body(parsing: plain) } }
        let contents = try body.get()
        return Keyring(
            vaultID: sealed.vaultID, generation: sealed.generation, slots: sealed.slots, terms: contents.terms,
            stateKey: contents.keys[0], indexKey: contents.keys[1], backupKey: contents.keys[2], root: root)
    }

    /// The slots of a wrapped keyring, for finding out what unlocks it; needs no key.
    package static func slots(in bytes: [UInt8]) throws(VaultError) -> (vaultID: [UInt8], slots: [Slot]) {
        let sealed = try parse(bytes)
        return (sealed.vaultID, sealed.slots)
    }

    /// The generation of a wrapped keyring; needs no key.
    package static func generation(of bytes: [UInt8]) throws(VaultError) -> UInt32 { try parse(bytes).generation }

    static var damaged: VaultError {
        VaultError(.damaged, "the keyring is damaged", hint: "restore the vault from a backup: vault restore")
    }

    static let termSize = 4 + 1 + 8 + GuardedKey.size

    struct Sealed {
        var vaultID: [UInt8]
        var generation: UInt32
        var slots: [Slot]
        /// Everything before the nonce.
        var head: [UInt8]
        var nonce: [UInt8]
        var box: [UInt8]
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: checksumSize)
        out.withUnsafeMutableBytes { out in bytes.withUnsafeBytes { Blake2b.hash($0, into: out) } }
        return out
    }

    static func parse(_ bytes: [UInt8]) throws(VaultError) -> Sealed {
        guard bytes.count <= sizeLimit, bytes.count > 28 + checksumSize, bytes.starts(with: magic) else {
            throw damaged
        }
        guard bytes[3] == UInt8(ascii: "1"), bytes[4] == 1 else {
            guard bytes[3] >= UInt8(ascii: "1"), bytes[4] >= 1 else { throw damaged }
            throw VaultError(
                .newerFormat, "the keyring is of format \(bytes[4]), this program reads 1",
                hint: "use the version of vault that wrote it")
        }
        let content = bytes.dropLast(checksumSize)
        guard checksum(content) == Array(bytes.suffix(checksumSize)) else { throw damaged }
        return try content.withUnsafeBytes { content in Result { () throws(VaultError) in try parse(content) } }.get()
    }

    private static func parse(_ content: UnsafeRawBufferPointer) throws(VaultError) -> Sealed {
        var reader = ByteReader(content)
        _ = reader.bytes(5)
        guard reader.u8() == 0, let count = reader.u16(), (1...slotLimit).contains(Int(count)),
            let vaultID = reader.array(16), let generation = reader.u32()
        else { throw damaged }
        var slots: [Slot] = []
        for _ in 0..<count {
            guard let kind = reader.u8(), reader.u8() == 0, let length = reader.u16(), length <= parameterLimit,
                let parameters = reader.array(Int(length)), let keyID = reader.array(16),
                let nonce = reader.array(SecretBox.nonceSize),
                let box = reader.array(GuardedKey.size + SecretBox.overhead)
            else { throw damaged }
            slots.append(Slot(kind: kind, parameters: parameters, keyID: keyID, nonce: nonce, box: box))
        }
        let head = Array(content[..<(content.count - reader.rest.count)])
        guard let nonce = reader.array(SecretBox.nonceSize), let length = reader.u32(), length <= sizeLimit,
            length > SecretBox.overhead, let box = reader.array(Int(length)), reader.isAtEnd
        else { throw damaged }
        return Sealed(
            vaultID: vaultID, generation: generation, slots: slots, head: head, nonce: nonce, box: box)
    }
}
