import VaultBase
import VaultCrypto

/// The opened keyring as sealing and opening need it.
final class VaultKeys: Sendable {
    let keyring: Keyring
    let active: UInt32
    private let activeKey: GuardedKey
    private let others: [UInt32: GuardedKey]
    private let vaultID: (UInt64, UInt64)
    private let distance = CacheLine()

    convenience init(_ keyring: Keyring) { self.init(keyring, alsoReading: [:]) }

    private init(_ keyring: Keyring, alsoReading more: [UInt32: GuardedKey]) {
        self.keyring = keyring
        guard let key = keyring.active.key else {
            preconditionFailure("the active term has a key; the keyring's parser holds to it")
        }
        active = keyring.active.id
        activeKey = key
        others = Dictionary(keyring.terms.compactMap { term in term.key.map { (term.id, $0) } }) { $1 }
            .merging(more) { mine, _ in mine }
        vaultID = keyring.vaultID.withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    /// The address of a term's key, good while this object lives; nil when the keyring has none.
    func term(_ id: UInt32) -> UnsafeRawPointer? { id == active ? activeKey.address : others[id]?.address }

    /// The same once more, so that who reads with it shares no reference count.
    func copy() -> VaultKeys { VaultKeys(keyring, alsoReading: others) }

    /// The same, which opens what `other` opens too.
    func reading(_ other: VaultKeys) -> VaultKeys {
        VaultKeys(keyring, alsoReading: others.merging(other.others) { mine, _ in mine })
    }

    /// Lends the vault's 16-byte id.
    func withVaultID<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { withUnsafeBytes(of: vaultID, body) }

    /// The hash that stands in the store for a name that must not.
    func hash(_ name: String, for purpose: Purpose) -> [UInt8] {
        Blake2b.hash(Array(name.utf8), key: keyring.indexKey, for: purpose)
    }
}
