import VaultBase

extension Keyring {
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
