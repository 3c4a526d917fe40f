import Synchronization
import VaultBase
import VaultCrypto

/// The keys of this moment: replaced as a whole when the keyring changes, lent to every read.
final class HeldKeys: Sendable {
    private let latest: Mutex<(keys: VaultKeys, key: GuardedKey)>
    /// How often they were replaced.
    private let replacements = Atomic(0)
    private let places: [Place]

    /// The keys of one moment.
    struct Lent: Sendable {
        fileprivate let keys: VaultKeys
        fileprivate let replacements: Int
    }

    private final class Place: Sendable {
        let lent: Mutex<Lent>
        private let distance = CacheLine()

        init(_ keys: VaultKeys) { lent = Mutex(Lent(keys: keys, replacements: 0)) }
    }

    init(_ keys: VaultKeys, openedBy key: GuardedKey) {
        latest = Mutex((keys, key))
        places = (0..<ThreadPlace.count).map { _ in Place(keys.copy()) }
    }

    var keys: VaultKeys { latest.withLock { $0.keys } }

    /// The key that the vault was opened with, or that took its place since.
    var key: GuardedKey { latest.withLock { $0.key } }

    func install(_ keys: VaultKeys, openedBy key: GuardedKey?) {
        latest.withLock { latest in
            latest.keys = keys
            if let key { latest.key = key }
            // First the count: whoever still finds the ones before in its place then knows.
            let count = replacements.add(1, ordering: .acquiringAndReleasing).newValue
            for place in places { place.lent.withLock { $0 = Lent(keys: keys.copy(), replacements: count) } }
        }
    }

    /// To be asked for before a snapshot is taken.
    func lend() -> Lent { places[ThreadPlace.index].lent.withLock { $0 } }

    /// The keys for a snapshot that was taken after `lent` was lent.
    func keys(after lent: Lent) -> VaultKeys {
        // A term may come or go around the moment the snapshot was taken: both have what it needs.
        replacements.load(ordering: .acquiring) == lent.replacements ? lent.keys : keys.reading(lent.keys)
    }
}
