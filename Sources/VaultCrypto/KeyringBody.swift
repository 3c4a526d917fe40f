package import VaultBase

// What is inside a keyring's box:
//
//   version u8=1 · state key 32 · index key 32 · backup key 32 · terms u16
//   term*  id u32 · state u8 · made at i64 ms · key 32 (zeros once destroyed)
//
// Ids rise; exactly one term is active.

extension Keyring {
    struct Body {
        var keys: [GuardedKey] = []
        var terms: [Term] = []

        init(parsing bytes: UnsafeRawBufferPointer) throws(VaultError) {
            var reader = ByteReader(bytes)
            guard let version = reader.u8(), version >= 1 else { throw damaged }
            guard version == 1 else {
                throw VaultError(
                    .newerFormat, "the keyring's content is of format \(version), this program reads 1",
                    hint: "use the version of vault that wrote it")
            }
            for _ in 0..<3 {
                guard let key = reader.bytes(GuardedKey.size) else { throw damaged }
                keys.append(try GuardedKey(copying: key))
            }
            guard let count = reader.u16(), (1...termLimit).contains(Int(count)) else { throw damaged }
            for _ in 0..<count {
                guard let id = reader.u32(), id > (terms.last?.id ?? 0),
                    let state = reader.u8().flatMap(Term.State.init),
                    let createdAt = reader.i64(), let key = reader.bytes(GuardedKey.size)
                else { throw damaged }
                terms.append(
                    Term(
                        id: id, state: state, createdAt: Timestamp(rawValue: createdAt),
                        key: state == .destroyed ? nil : try GuardedKey(copying: key)))
            }
            guard reader.isAtEnd, terms.filter({ $0.state == .active }).count == 1 else { throw damaged }
        }
    }

    /// The terms and the vault's own keys, in clear: for what is sealed otherwise, as a backup is.
    package func body() -> WipedBytes {
        var bytes = WipedBytes(count: 1 + 3 * GuardedKey.size + 2 + terms.count * Self.termSize)
        bytes.withMutableBytes { write(into: $0) }
        return bytes
    }

    /// The keyring that `wrapped` is, opened by what is in its box instead of a key. Its root stays unknown:
    /// it can be wrapped again only for ``renewed(by:)``.
    ///
    /// - Throws: `damaged`, `newer-format`.
    package init(wrapped: [UInt8], body: UnsafeRawBufferPointer) throws(VaultError) {
        let sealed = try Self.parse(wrapped)
        let contents = try Body(parsing: body)
        self.init(
            vaultID: sealed.vaultID, generation: sealed.generation, slots: sealed.slots, terms: contents.terms,
            stateKey: contents.keys[0], indexKey: contents.keys[1], backupKey: contents.keys[2], root: try .generate())
    }

    /// The same keys under a new root that `key` alone opens.
    package func renewed(by key: NewKey) throws(VaultError) -> Keyring {
        let root = try GuardedKey.generate()
        let slot = try Self.wrap(root, by: key.key, kind: key.kind, parameters: key.parameters, vaultID: vaultID)
        return Keyring(
            vaultID: vaultID, generation: generation + 1, slots: [slot], terms: terms, stateKey: stateKey,
            indexKey: indexKey, backupKey: backupKey, root: root)
    }

    func write(into buffer: UnsafeMutableRawBufferPointer) {
        var writer = ByteWriter(buffer)
        writer.u8(1)
        for key in [stateKey, indexKey, backupKey] { key.withBytes { writer.bytes($0) } }
        writer.u16(UInt16(terms.count))
        for term in terms {
            writer.u32(term.id)
            writer.u8(term.state.rawValue)
            writer.i64(term.createdAt.rawValue)
            if let key = term.key {
                key.withBytes { writer.bytes($0) }
            } else {
                for _ in 0..<GuardedKey.size { writer.u8(0) }
            }
        }
        precondition(writer.count == buffer.count && !writer.overflowed, "a keyring's size is known before")
    }
}
