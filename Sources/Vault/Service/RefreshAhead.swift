import Logging
import VaultBase
import VaultRecords

/// How refresh-ahead paces itself.
enum RefreshAhead {
    static let interval = Duration.seconds(5)
    /// How many connections one round looks at.
    static let batch = 256
    /// How many redemptions one round sends to one platform: 4 a second at the most, however many are due.
    static let budget = 20
    /// How many of them at the same time.
    static let width = 4
}

extension Vault {
    /// One round: what is due, earliest first, within each platform's budget. What does not fit is still due
    /// in the next round.
    func refreshAhead() async throws {
        let due = try records.due(before: records.clock.now(), limit: RefreshAhead.batch)
        var lanes: [PlatformName: [ConnectionName]] = [:]
        for (user, platform) in due where lanes[platform, default: []].count < RefreshAhead.budget {
            lanes[platform, default: []].append(ConnectionName(user: user, platform: platform))
        }
        await withDiscardingTaskGroup { group in
            for lane in lanes.values {
                group.addTask { await self.refreshAhead(lane) }
            }
        }
    }

    private func refreshAhead(_ lane: [ConnectionName]) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, name) in lane.enumerated() {
                if index >= RefreshAhead.width { await group.next() }
                group.addTask {
                    // Failures are written to the connection, logged and counted where they happen.
                    _ = try? await self.refresher.refresh(name, .ahead)
                }
            }
        }
    }
}
