import Logging
import VaultBase
import VaultRecords

/// Tells of the grants that a restore made `uncertain`: there may be as many as there are users, and receivers, who
/// perhaps write to each of them, should not get them all at once.
enum RestoreNews {
    static let interval = Duration.seconds(5)
    /// How many one round tells: 12 a second at the most.
    static let batch = 64
    /// What the events say.
    static let reason = "restored"
}

extension Vault {
    /// One round, from where the last one stopped, also across restarts.
    ///
    /// Rests while half of the room for events is taken by such as somebody still has to be told: these are no
    /// reason to push others out.
    func tellRestored() async throws {
        let room = max(1, options.eventLimit / 2)
        let teller = teller
        var told = 0
        while told < RestoreNews.batch {
            let free = try records.read { view in
                try view.hasRestoredGrants() ? room - view.pendingEventCount(limit: room) : 0
            }
            guard free > 0 else { return }
            let limit = min(free, RestoreNews.batch - told)
            let count: Int? = try await records.write(for: .saving) { transaction in
                guard let grants = try transaction.nextRestoredGrants(limit: limit) else { return nil }
                for grant in grants {
                    try teller.tell(.uncertain, grant, .init(reason: RestoreNews.reason), in: transaction)
                }
                return grants.count
            }
            teller.ring()
            guard let count else { return logger.notice("restore.told") }
            told += count
            // Others write too.
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
