import Testing
import VaultBase
import VaultCrypto

@Suite struct KeyringTests {
    let root: GuardedKey
    let keyring: Keyring

    init() throws {
        root = try GuardedKey.generate()
        keyring = try Keyring(vaultID: Random.bytes(16), rootKey: root, at: Timestamp(seconds: 1_700_000_000))
    }

    @Test func opensWithItsRootKeyAndHoldsTheSameKeys() throws {
        let opened = try Keyring.open(keyring.encoded(), with: root)
        #expect(opened.vaultID == keyring.vaultID)
        #expect(opened.generation == 1)
        #expect(opened.active.id == 1)
        #expect(opened.active.createdAt == Timestamp(seconds: 1_700_000_000))
        #expect(try #require(opened.active.key).equals(try #require(keyring.active.key)))
        #expect(opened.stateKey.equals(keyring.stateKey))
        #expect(opened.indexKey.equals(keyring.indexKey))
        #expect(opened.backupKey.equals(keyring.backupKey))
        #expect(!opened.stateKey.equals(opened.indexKey))
    }

    @Test func anotherKeyIsAWrongKey() throws {
        let bytes = try keyring.encoded()
        #expect(throws: VaultError.self) { try Keyring.open(bytes, with: .generate()) }
        #expect(code(bytes, try .generate()) == .wrongKey)
    }

    /// What opens well and holds other keys must not be committed: opening it proves nothing.
    @Test func bytesOfAnotherKeyringAreNotProven() throws {
        #expect(try keyring.proven(keyring.encoded(), with: root).count > 0)
        var others = [try Keyring(vaultID: keyring.vaultID, rootKey: root, at: Timestamp(seconds: 1_700_000_000))]
        var changed = keyring
        try changed.addTerm(at: Timestamp(seconds: 1))
        others.append(changed)
        changed = keyring
        try changed.addSlot(NewKey(rootKey: .generate()))
        others.append(changed)
        for other in others {
            let bytes = try other.encoded()
            // Without the comparison this would have been all.
            #expect(try Keyring.open(bytes, with: root).vaultID == keyring.vaultID)
            #expect(throws: VaultError.self) { try keyring.proven(bytes, with: root) }
        }
    }

    @Test func anyChangedByteIsDamageNotAWrongKey() throws {
        let bytes = try keyring.encoded()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x40
            let code = code(changed, root)
            // The version bytes may say "newer"; nothing may say "wrong key" or open.
            #expect(code == .damaged || (index == 3 || index == 4) && code == .newerFormat, "byte \(index)")
        }
    }

    @Test func anyTruncationIsDamage() throws {
        let bytes = try keyring.encoded()
        for count in 0..<bytes.count { #expect(code(Array(bytes.prefix(count)), root) == .damaged) }
        #expect(code(bytes + [0], root) == .damaged)
    }

    @Test func severalSlotsUnlockAndTheLastOneStays() throws {
        var keyring = keyring
        let second = try GuardedKey.generate()
        try keyring.addSlot(NewKey(rootKey: second))
        let bytes = try keyring.encoded()
        #expect(try Keyring.open(bytes, with: root).stateKey.equals(keyring.stateKey))
        #expect(try Keyring.open(bytes, with: second).stateKey.equals(keyring.stateKey))
        #expect(try Keyring.slots(in: bytes).slots.count == 2)
        try keyring.removeSlot(#require(keyring.slot(of: root)).keyID)
        let rewrapped = try keyring.encoded()
        #expect(code(rewrapped, root) == .wrongKey)
        #expect(try Keyring.open(rewrapped, with: second).active.id == 1)
        let last = try #require(keyring.slot(of: second)).keyID
        #expect(throws: VaultError.self) { try keyring.removeSlot(last) }
        #expect(keyring.generation == 3)
    }

    @Test func aNewTermSealsAndTheOldOneStaysReadable() throws {
        var keyring = keyring
        try keyring.addTerm(at: Timestamp(seconds: 2))
        let opened = try Keyring.open(keyring.encoded(), with: root)
        #expect(opened.active.id == 2)
        #expect(opened.terms.map(\.state) == [.readable, .active])
        #expect(try #require(opened.terms[0].key).equals(try #require(self.keyring.active.key)))
        try keyring.destroyTerm(1)
        let destroyed = try Keyring.open(keyring.encoded(), with: root)
        #expect(destroyed.terms[0].key == nil)
        #expect(throws: VaultError.self) { try keyring.destroyTerm(2) }
    }

    @Test func aFullKeyringFitsItsPlace() throws {
        var keyring = keyring
        while keyring.terms.count < Keyring.termLimit { try keyring.addTerm(at: Timestamp(seconds: 2)) }
        #expect(throws: VaultError.self) { try keyring.addTerm(at: Timestamp(seconds: 2)) }
        #expect(try keyring.encoded().count <= Keyring.sizeLimit)
        #expect(try Keyring.open(keyring.encoded(), with: root).terms.count == Keyring.termLimit)
    }

    /// With a slot of another vault the same root key does not open: the vault id is bound.
    @Test func slotsAndBodyAreBoundToTheirVault() throws {
        let other = try Keyring(vaultID: Random.bytes(16), rootKey: root, at: Timestamp(seconds: 1))
        var spliced = Array(try keyring.encoded()[..<28])
        spliced += try other.encoded()[28...]
        let content = spliced.dropLast(16)
        spliced = content + blake2b128(Array(content))
        #expect(code(spliced, root) == .wrongKey)
    }

    private func code(_ bytes: [UInt8], _ key: GuardedKey) -> VaultError.Code? {
        do {
            _ = try Keyring.open(bytes, with: key)
            return nil
        } catch { return error.code }
    }

    private func blake2b128(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 16)
        out.withUnsafeMutableBytes { out in bytes.withUnsafeBytes { Blake2b.hash($0, into: out) } }
        return out
    }
}
