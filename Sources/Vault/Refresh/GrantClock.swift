import Logging
import VaultBase
import VaultRecords

/// Warns before a grant ends, and says when it has: many end however often they are used.
enum GrantClock {
    /// A grant that lives shorter than this ends without a warning: it would come with every consent.
    static let shortestLife = Duration.seconds(86_400)
    /// How many connections one transaction looks at.
    static let batch = 64
}

extension Vault {
    /// One round: every connection whose time has come, once for each limit and consent.
    func runGrantClock() async throws {
        let (teller, warning, platforms) = (teller, options.warnBefore, platforms)
        // Records that do not open stay for whoever looks at the damage, and hold up nobody.
        var stuck: Set<ConnectionName> = []
        while true {
            let limit = GrantClock.batch + stuck.count
            let names = try records.clockDue(before: records.read { $0.settled }, limit: limit)
                .filter { !stuck.contains($0) }
            guard !names.isEmpty else { return }
            stuck.formUnion(
                try await records.write(for: .saving) { transaction in
                    try names.filter { name in
                        let renews = platforms.renews(name.platform)
                        return try !Self.tick(name, warning, renews: renews, teller, transaction)
                    }
                })
            teller.ring()
            guard names.count >= GrantClock.batch else { return }
            // Others write too.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// False when there is nothing to be done with it.
    private static func tick(
        _ name: ConnectionName, _ warning: Duration, renews: Bool, _ teller: Teller,
        _ transaction: RecordsTransaction
    ) throws -> Bool {
        // Nothing takes back that a grant was called dead.
        let now = transaction.settled
        guard var connection = try? transaction.connectionForClock(name.user, name.platform),
            let clockAt = connection.clockAt, clockAt <= now
        else { return false }
        let deadAt = connection.deadAt(renews: renews)
        let isKnown = connection.health.isDead
        if let deadAt, deadAt - warning > now {
            // Its end moved away little by little since this was set.
            connection.clockAt = deadAt - warning
        } else if let deadAt, deadAt > now {
            connection.clockAt = deadAt
            if !isKnown { try teller.tell(.expiring, connection, .init(grantEndsAt: deadAt), in: transaction) }
        } else {
            connection.clockAt = nil
            if let deadAt, !isKnown {
                let reason = deadAt == connection.endsAt ? "grant-ended" : "no-refresh-token"
                connection.health = .reconnect(reason: reason)
                try teller.tell(
                    .reconnectNeeded, connection, .init(reason: reason, grantEndsAt: deadAt), in: transaction)
            }
        }
        try transaction.put(connection, expecting: nil)
        return true
    }
}
