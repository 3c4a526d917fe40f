import Logging
import Synchronization
import ServiceLifecycle
import VaultBase
import VaultRecords
import VaultStore

extension Vault {
    /// Marks what an earlier process left half done, then sweeps, refreshes ahead and measures until it is told
    /// to stop; then finishes the flights under way.
    ///
    /// - Throws: `unknown-outcome` when the disk failed under a write: the process must end and verify at its
    ///   next start.
    public func run() async throws {
        try await attempt { try await self.recover() }
        do {
            try await cancelWhenGracefulShutdown {
                try await withThrowingDiscardingTaskGroup { group in
                    group.addTask { try await self.every(self.options.sweepInterval) { try await self.sweep() } }
                    group.addTask { try await self.every(Self.measureInterval) { try self.measure() } }
                    group.addTask { try await self.every(Self.saveInterval) { await self.saveWhatWaits() } }
                    if self.options.backups != nil {
                        group.addTask {
                            try await self.every(BackupSchedule.interval) { try await self.backUpWhenDue() }
                        }
                    }
                    group.addTask { try await self.every(Validations.interval) { try await self.validate() } }
                    group.addTask { try await self.every(Revocations.interval) { try await self.revokeWhatWaits() } }
                    group.addTask { try await self.every(RestoreNews.interval) { try await self.tellRestored() } }
                    group.addTask { try await self.announce() }
                    for courier in self.outbox.couriers { group.addTask { await courier.run() } }
                    if self.options.refreshAhead {
                        group.addTask {
                            try await self.every(RefreshAhead.interval) { try await self.refreshAhead() }
                        }
                    }
                }
            }
        } catch is CancellationError {
            // Told to stop.
        }
        await drain()
    }

    /// What is counted entry by entry is counted so far.
    static let countLimit = 10_000
    static let measureInterval = Duration.seconds(15)
    static let saveInterval = Duration.seconds(2)

    /// Repeats `round`; one that fails is logged and the next one comes at its time.
    private func every(_ interval: Duration, _ round: () async throws -> Void) async throws {
        while true {
            try await attempt(round)
            try await Task.sleep(for: interval)
        }
    }

    private func attempt(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let error as CancellationError {
            throw error
        } catch {
            let fault = (error as? VaultError) ?? VaultError(.internal, "the service failed", cause: error)
            logger.error("service.failed", metadata: ["code": "\(fault.code)", "reason": "\(fault)"])
            if fault.code == .unknownOutcome { throw fault }
        }
    }

    /// Hands out events as they come.
    private func announce() async throws {
        try await attempt { try await self.giveUpRemovedReceivers() }
        while true {
            try await attempt { try await self.outbox.handOut() }
            try Task.checkCancellation()
            await outbox.bell.wait(atMost: Outbox.rest)
        }
    }

    /// The redemptions that were begun by a process that is no more. Their tokens are not sent: the
    /// connections become `uncertain`, and whoever needs a new access token of one probes it.
    func recover() async throws {
        for redemption in leftovers { _ = try await refresher.recover(redemption) }
        if !leftovers.isEmpty {
            logger.warning("service.recovered", metadata: ["interrupted": "\(leftovers.count)"])
        }
    }

    /// Waits for what is under way; each flight has its own limit.
    func drain() async {
        await logins.drain()
        await refresher.flights.drain()
        await disconnections.drain()
        await saveWhatWaits()
        let lost = refresher.unsaved.withLock { $0.count }
        if lost > 0 {
            logger.critical(
                "service.unsaved",
                metadata: ["connections": "\(lost)", "hint": "the users concerned may have to connect again"])
        }
        logger.info("service.drained")
    }

    /// Removes what ended, in small transactions, unless the clock has just jumped.
    func sweep() async throws {
        let now = records.clock.now()
        let lead = records.clockLead
        if lead > ClockWatch.tolerance {
            logger.warning(
                "clock.behind",
                metadata: [
                    "seconds": "\(lead.milliseconds / 1000)",
                    "hint": "once the time is right: vault check --accept-clock",
                ])
        }
        guard clockWatch.withLock({ $0.trusts(now, at: records.clock.steady()) }) else {
            logger.warning("sweep.paused", metadata: ["reason": "the clock jumped"])
            return
        }
        try await runGrantClock()
        var place: SweepPlace?
        repeat {
            let result = try await records.sweep(grace: options.sweepGrace, limit: 256, dryRun: false, from: place)
            observation.swept(result)
            for name in result.connections {
                refresher.forget(name)
                logger.info("sweep.removed", metadata: facts(name.user, name.platform))
            }
            place = result.next
            // Others write too.
            if place != nil { try await Task.sleep(for: .milliseconds(20)) }
        } while place != nil
        refresher.backoff.prune(now: records.now)
    }

    func saveWhatWaits() async {
        for name in refresher.unsaved.withLock({ Array($0.keys) }) {
            _ = try? await refresher.refresh(name, .fresh)
        }
    }

    func measure() throws {
        let statistics = try records.store.statistics()
        for (table, count) in statistics.counts {
            observation.gauge("vault_store_keys", count, [("table", table.rawValue)])
        }
        observation.gauge("vault_store_used_bytes", statistics.usedBytes)
        observation.gauge("vault_store_file_bytes", statistics.fileBytes)
        observation.gauge("vault_store_quota_bytes", statistics.quotaBytes)
        observation.gauge("vault_store_commits", statistics.commits)
        observation.gauge("vault_store_operations", statistics.operations)
        let (pending, expiring) = try records.read { view in
            (
                try view.pendingEventCount(limit: Self.countLimit),
                try view.endingCount(before: view.now + options.warnBefore, limit: Self.countLimit)
            )
        }
        observation.gauge("vault_events_pending", pending)
        observation.gauge("vault_grants_expiring", expiring)
        observation.gauge("vault_platforms_cooling", cooldowns.count(now: records.now))
        observation.gauge("vault_refreshes_in_flight", refresher.flights.count)
        observation.gauge("vault_refreshes_unsaved", refresher.unsaved.withLock { $0.count })
        observation.gauge("vault_refreshes_backing_off", refresher.backoff.count)
        measurePlatforms()
        try measureBackups()
    }

    private func measurePlatforms() {
        let entries = platforms.entries
        // What a reload took away has no fault any more.
        let gone = measuredPlatforms.withLock { measured in
            let before = measured
            measured = Set(entries.map(\.name))
            return before.subtracting(measured)
        }
        for name in gone { observation.gauge("vault_platform_fault", 0, [("platform", name.rawValue)]) }
        for entry in entries {
            observation.gauge(
                "vault_platform_fault", entry.platform == nil ? 1 : 0, [("platform", entry.name.rawValue)])
        }
    }
}
