public import VaultBase
import VaultCrypto
import VaultStore

/// What a vault says of itself.
public struct VaultStatus: Sendable {
    /// A data key and what it seals.
    public struct Term: Sendable, Equatable {
        public var id: UInt32
        /// `active`, `readable` or `destroyed`.
        public var state: String
        public var createdAt: Timestamp
        /// How many values it seals.
        public var values: Int
    }

    /// 16 bytes, in hexadecimal.
    public var vaultID: String
    public var createdAt: Timestamp
    /// Grows with every value written or removed.
    public var sequence: UInt64
    /// The sequence, a colon and a keyed hash of all contents: kept elsewhere, it shows later that the
    /// whole file was put back to an earlier one. See ``CheckAnchor``.
    public var anchor: String
    /// The moment of the last write: the vault's clock never reads less, unless it was set (``Records/acceptClock()``).
    public var lastWrite: Timestamp
    /// How far the vault's clock is ahead of the wall clock.
    public var clockLead = Duration.zero
    /// How often it was restored from a backup.
    public var restores: Int
    /// Connections kept, those included that ended and were not swept yet.
    public var connections: Int
    public var sessions: Int
    public var logins: Int
    /// Refreshes begun and not finished.
    public var redemptions: Int
    /// Events told, and still to be told.
    public var events: Int
    public var serviceKeys: Int
    /// Revocations that providers have not taken yet.
    public var revocations: Int
    public var terms: [Term]
    /// Whether all keys could be kept out of swap.
    public var keysAreLocked: Bool

    init(_ state: VaultState, _ keys: VaultKeys) {
        vaultID = Hex.encode(state.vaultID)
        createdAt = state.createdAt
        sequence = state.sequence
        anchor = CheckAnchor(state, keys).text
        lastWrite = state.clock
        restores = Int(state.epoch)
        connections = Int(clamping: state[.records].count)
        sessions = Int(clamping: state[.sessions].count)
        logins = Int(clamping: state[.logins].count)
        redemptions = Int(clamping: state[.journal].count)
        events = Int(clamping: state[.events].count)
        serviceKeys = Int(clamping: state[.services].count)
        revocations = Int(clamping: state[.revocations].count)
        terms = keys.keyring.terms.map { term in
            Term(
                id: term.id, state: "\(term.state)", createdAt: term.createdAt,
                values: Int(clamping: state.terms.first { $0.id == term.id }?.count ?? 0))
        }
        keysAreLocked = !GuardedKey.lockingFailed
    }
}

extension Records {
    /// Counts and times, read from the state: costs the same however large the vault is.
    public func status() throws -> VaultStatus {
        var status = VaultStatus(try store.read { try VaultState.load($0, keys) }, keys)
        status.clockLead = clockLead
        return status
    }

    /// Sets the vault's clock to the wall clock's, where it is ahead: for when something was written while the wall
    /// clock was wrong and far ahead, which lets everything seem ended that ends before that time.
    ///
    /// What only seemed ended is there again, and so is what ended since and was not swept yet. Nothing is lost.
    /// - Returns: how far the vault's clock was ahead.
    @discardableResult
    public func acceptClock() async throws -> Duration {
        let before = now
        let wall = clock.now()
        guard before > wall else { return .zero }
        do {
            try await store.write { [self] transaction in
                let keys = keys
                var state = try VaultState.load(transaction, keys)
                state.clock = wall
                state.sequence += 1
                let bytes = state.encoded(keys)
                let key = VaultState.key
                try transaction.put(bytes.span.bytes, for: key.span.bytes, in: .state)
                // Here and not after the commit: the next write in the queue must find it set, or it would commit the
                // old time again.
                vaultClock.set(to: wall)
            }
        } catch {
            vaultClock.set(to: before)
            throw error
        }
        return before - wall
    }
}
