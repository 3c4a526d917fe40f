import Logging
import VaultBase
import VaultRecords

/// How refresh-ahead paces itself.
enum RefreshAhead {
    static let interval = Duration.seconds(5)
    /// How many due connections one round looks at; enough that one platform's outage hides no other platform.
    static let batch = 4096
    /// How many redemptions one round sends to one platform: 4 a second at the most, however many are due.
    static let budget = 20
    /// How many of them at the same time.
    static let width = 4
    /// After so many failures in a round a platform is left alone until the next.
    static let patience = 3
    /// When to look again at a connection that could not even be tried.
    static let postponement = Duration.seconds(600)
}

extension Vault {
    /// One round: what is due, earliest first, within each platform's budget. What does not fit is still due
    /// in the next round.
    func refreshAhead() async throws {
        let lanes = try lanes(of: records.due(before: records.now, limit: RefreshAhead.batch))
        await withDiscardingTaskGroup { group in
            for lane in lanes.values { group.addTask { await self.refreshAhead(lane) } }
        }
    }

    /// What is due by platform, in its order and within each budget, of the platforms that may be asked now.
    ///
    /// A record that does not open is due until somebody has looked at the damage: it takes nobody's place.
    func lanes(of due: [ConnectionName]) throws -> [PlatformName: [ConnectionName]] {
        var lanes: [PlatformName: [ConnectionName]] = [:]
        for platform in Set(due.map(\.platform)) where isCallable(platform) { lanes[platform] = [] }
        try records.read { view in
            for name in due {
                guard let lane = lanes[name.platform], lane.count < RefreshAhead.budget,
                    (try? view.connection(name.user, name.platform)) != nil
                else { continue }
                lanes[name.platform]?.append(name)
            }
        }
        return lanes
    }

    /// Whether what nobody waits for may ask the platform now.
    func isCallable(_ platform: PlatformName) -> Bool {
        (try? platforms.platform(platform)) != nil && !cooldowns.isCooling(platform, now: records.now)
    }

    private func refreshAhead(_ lane: [ConnectionName]) async {
        await withTaskGroup(of: Bool.self) { group in
            var failures = 0
            for (index, name) in lane.enumerated() {
                if index >= RefreshAhead.width, await group.next() == false { failures += 1 }
                guard failures < RefreshAhead.patience else { break }
                group.addTask { await self.refreshAhead(name) }
            }
        }
    }

    private func refreshAhead(_ name: ConnectionName) async -> Bool {
        do {
            _ = try await refresher.refresh(name, .ahead)
            return true
        } catch {
            // What a provider refused was logged, counted and given its next time where it happened. What never
            // got that far would be due for ever and stand in the way of the others.
            try? await postpone(name)
            return false
        }
    }

    private func postpone(_ name: ConnectionName) async throws {
        try await records.write(for: .saving) { transaction in
            guard var connection = try transaction.connection(name.user, name.platform),
                let dueAt = connection.dueAt, dueAt <= transaction.now
            else { return }
            connection.dueAt = transaction.now + RefreshAhead.postponement
            try transaction.put(connection, expecting: connection.version)
        }
    }
}
