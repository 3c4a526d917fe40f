package import VaultBase

extension Keyring {
    /// Adds a way to unlock.
    ///
    /// - Throws: `conflict` when the key opens the keyring already, or there is no room.
    package mutating func addSlot(_ new: NewKey) throws(VaultError) {
        guard slots.count < Self.slotLimit, new.parameters.count <= Self.parameterLimit else {
            throw VaultError(
                .conflict, "the vault has \(slots.count) keys and no room for another",
                hint: "remove one that is not needed: vault key list, vault key remove")
        }
        guard slot(of: new.key) == nil else {
            throw VaultError(.conflict, "this key opens the vault already", hint: "see: vault key list")
        }
        slots.append(
            try Self.wrap(root, by: new.key, kind: new.kind, parameters: new.parameters, vaultID: vaultID))
        generation += 1
    }

    /// Removes the slot of a key; the last one stays.
    package mutating func removeSlot(_ keyID: [UInt8]) throws(VaultError) {
        guard slots.contains(where: { $0.keyID == keyID }) else {
            throw VaultError(.notFound, "the vault has no such key", hint: "see: vault key list")
        }
        let rest = slots.filter { $0.keyID != keyID }
        guard !rest.isEmpty else {
            throw VaultError(
                .conflict, "it is the only key of the vault: without it nothing here can be read again",
                hint: "add another first: vault key add")
        }
        slots = rest
        generation += 1
    }

    /// The slot that `key` opens.
    package func slot(of key: GuardedKey) -> Slot? {
        let id = Self.keyID(of: key, vaultID: vaultID)
        return slots.first { $0.keyID == id }
    }

    /// Which key it is, for whoever has the key: BLAKE2b-128(key, "vault-keyid-v1", vault id).
    package static func keyID(of key: GuardedKey, vaultID: [UInt8]) -> [UInt8] {
        Blake2b.hash(vaultID, key: key, for: Purpose("vault-keyid-v1"), bytes: 16)
    }

    static func wrap(
        _ root: GuardedKey, by key: GuardedKey, kind: UInt8, parameters: [UInt8], vaultID: [UInt8]
    ) throws(VaultError) -> Slot {
        let wrapping = try wrappingKey(key, kind: kind, parameters: parameters, vaultID: vaultID)
        let nonce = Random.bytes(SecretBox.nonceSize)
        var box = [UInt8](repeating: 0, count: GuardedKey.size + SecretBox.overhead)
        box.withUnsafeMutableBytes { box in
            nonce.withUnsafeBytes { nonce in
                root.withBytes {
                    SecretBox.seal(
                        $0, nonce: nonce.baseAddress.unsafelyUnwrapped, key: wrapping.address, into: box)
                }
            }
        }
        return Slot(
            kind: kind, parameters: parameters, keyID: keyID(of: key, vaultID: vaultID), nonce: nonce, box: box)
    }

    /// The root inside `slot`; nil when it does not open.
    static func unwrap(_ slot: Slot, by key: GuardedKey, vaultID: [UInt8]) throws(VaultError) -> GuardedKey? {
        let wrapping = try wrappingKey(key, kind: slot.kind, parameters: slot.parameters, vaultID: vaultID)
        var opened = false
        let root = try GuardedKey { output in
            slot.box.withUnsafeBytes { box in
                slot.nonce.withUnsafeBytes { nonce in
                    opened = SecretBox.open(
                        box, nonce: nonce.baseAddress.unsafelyUnwrapped, key: wrapping.address, into: output)
                }
            }
        }
        return opened ? root : nil
    }

    /// BLAKE2b-256(key, "vault-slot-v1", vault id ‖ kind ‖ u16 length ‖ parameters): a slot whose kind or
    /// parameters were changed does not open.
    private static func wrappingKey(
        _ key: GuardedKey, kind: UInt8, parameters: [UInt8], vaultID: [UInt8]
    ) throws(VaultError) -> GuardedKey {
        var message = vaultID
        message.append(kind)
        message.append(u16: UInt16(parameters.count))
        message += parameters
        return try key.derive(Purpose("vault-slot-v1"), message)
    }
}
