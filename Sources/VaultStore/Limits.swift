import VaultBase

/// What every store holds its keys and values to, so that one can stand in for another.
enum Limits {
    /// The longest key, in bytes; LMDB takes no more.
    static let key = 511
    /// The longest value, in bytes; larger ones need contiguous pages, which get rare as a file ages.
    static let value = 16 << 10
    /// What is new is refused above this share of the quota, in percent: the rest is for what must still go on.
    static let putShare = 95

    static func check(key: Int, value: Int, in table: Table) throws(VaultError) {
        guard (1...Self.key).contains(key) else {
            throw VaultError(
                .badRequest, "a key of \(key) bytes in \(table.rawValue) is not 1 to \(Self.key) bytes long")
        }
        guard value <= Self.value else {
            throw VaultError(
                .badRequest, "a value of \(value) bytes in \(table.rawValue) is over the limit of \(Self.value) bytes")
        }
    }

    /// The most bytes that puts may fill of `quota`; nil for as many as there are.
    static func room(_ room: StoreRoom, of quota: Int) -> Int? {
        switch room {
        case .growing: quota / 100 * putShare
        case .saving: quota
        case .shrinking: nil
        }
    }

    static func quotaReached(_ room: StoreRoom, _ quota: Int) -> VaultError {
        let share = room == .growing ? "\(putShare) percent of its quota" : "its quota"
        return VaultError(
            .full, "the store has reached \(share) of \(quota >> 20) MiB",
            hint: "raise store.quota, or delete what is not needed")
    }

    static let closed = VaultError(.unavailable, "the store is closed")

    static let ended = VaultError(.internal, "a transaction was used after its closure had returned")

    static func walked(_ table: Table) -> VaultError {
        VaultError(.internal, "the table \(table.rawValue) was written to while it was being walked")
    }
}

extension Table {
    /// The table's place among all tables.
    var index: Int {
        switch self {
        case .records: 0
        case .expiry: 1
        case .due: 2
        case .identities: 3
        case .sessions: 4
        case .logins: 5
        case .journal: 6
        case .keyring: 7
        case .state: 8
        case .audit: 9
        case .changes: 10
        case .events: 11
        case .services: 12
        case .revocations: 13
        }
    }
}
