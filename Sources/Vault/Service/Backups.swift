import Logging
import Synchronization
import VaultBase
public import VaultRecords

/// Which backups the service makes, and how many stay.
public struct BackupSchedule: Sendable {
    public var directory: String
    /// How often a full one is made.
    public var every: Duration
    /// How often an increment is made between them; nil for never.
    public var incrementEvery: Duration?
    /// How many full ones stay, each with its increments.
    public var keep: Int
    public var recipients: [BackupRecipient]

    public init(
        directory: String, every: Duration, incrementEvery: Duration?, keep: Int, recipients: [BackupRecipient]
    ) {
        self.directory = directory
        self.every = every
        self.incrementEvery = incrementEvery
        self.keep = keep
        self.recipients = recipients
    }

    /// How often is looked whether one is due.
    static let interval = Duration.seconds(30)
    /// How long is waited after one that failed.
    static let patience = Duration.seconds(600)
}

extension Vault {
    /// Writes a backup and keeps in mind that there is one.
    ///
    /// - Parameter isKept: whether it counts as the vault's last one.
    func backUp(
        to path: String, for recipients: [BackupRecipient], since: ChainPoint?, isKept: Bool = true,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> Backup.Manifest {
        let manifest = try await Backup.write(
            records, to: path, for: recipients.isEmpty ? [.vault] : recipients, since: since, progress: progress)
        observation.backup("ok")
        logger.notice(
            "backup.written",
            metadata: [
                "file": "\(path)", "connections": "\(manifest.connections)", "entries": "\(manifest.entries)",
                "bytes": "\(manifest.bytes)", "kind": since == nil ? "full" : "increment",
            ])
        if isKept { try await noteBackup(path, at: manifest.createdAt, end: manifest.end) }
        return manifest
    }

    /// Keeps in mind that `path` holds the vault as it was at `time`.
    func noteBackup(_ path: String, at time: Timestamp, end: ChainPoint) async throws {
        try await records.note(BackupMark(at: time, end: end, file: path), of: .backup)
        try measureBackups()
    }

    /// Makes a backup when one is due, then takes away those that are too old.
    func backUpWhenDue() async throws {
        guard let schedule = options.backups else { return }
        let now = records.clock.now()
        // A pause that begins in the future is of a clock that was wrong.
        let isPaused = backupPause.withLock { pause in
            pause.map { now < $0 && now >= $0 - BackupSchedule.patience } ?? false
        }
        guard !isPaused else { return }
        do {
            try await backUp(by: schedule, at: now)
            backupPause.withLock { $0 = nil }
        } catch let error as CancellationError {
            throw error
        } catch {
            observation.backup("failed")
            backupPause.withLock { $0 = now + BackupSchedule.patience }
            throw error
        }
    }

    private func backUp(by schedule: BackupSchedule, at now: Timestamp) async throws {
        let folder = BackupFolder(schedule.directory, vaultID: try records.status().vaultID)
        try folder.make()
        let chain = try folder.newest()
        let moments = backupMoments.withLock { $0 }
        func isDue(_ item: BackupFolder.Item?, _ interval: Duration) -> Bool {
            guard let item else { return true }
            // The vault's clock never goes back: after one that was ahead, every backup seems to be from the future,
            // and only what this process saw tells when it was made.
            let made = item.inspection.createdAt > now ? moments[item.path] : item.inspection.createdAt
            guard let made, made <= now else { return true }
            return now - made >= interval
        }
        var since: ChainPoint?
        if !isDue(chain.first, schedule.every) {
            guard let interval = schedule.incrementEvery, let last = chain.last, isDue(last, interval) else { return }
            let mark = try records.last(.backup)
            if let mark, mark.file == last.path, mark.at <= now, now - mark.at < interval { return }
            let end = last.inspection.end
            guard try records.chainPoint() != end else {
                // What there is holds the whole vault: it is as good as one that was made now.
                logger.info("backup.unchanged", metadata: ["file": "\(last.path)"])
                return try await noteBackup(last.path, at: now, end: end)
            }
            since = end
        }
        try folder.removeHalfWritten()
        if let begin = since {
            do {
                let path = folder.newPath(at: now, isIncrement: true)
                _ = try await backUp(to: path, for: schedule.recipients, since: begin)
                return backupMoments.withLock { $0[path] = now }
            } catch let error as VaultError where error.code == .conflict {
                // The change log does not reach back so far.
                logger.info("backup.full", metadata: ["reason": "\(error.message)"])
                since = nil
            }
        }
        let path = folder.newPath(at: now, isIncrement: false)
        _ = try await backUp(to: path, for: schedule.recipients, since: nil)
        backupMoments.withLock { $0 = [path: now] }
        for path in try folder.thinOut(keeping: schedule.keep) {
            logger.notice("backup.removed", metadata: ["file": "\(path)"])
        }
    }

    /// The moments of the last backup and the last drill, in seconds since 1970; 0 before the first.
    func measureBackups() throws {
        let (backup, drill) = (try records.last(.backup), try records.last(.drill))
        observation.gauge("vault_backup_last_timestamp_seconds", Int(backup?.at.seconds ?? 0))
        observation.gauge("vault_drill_last_timestamp_seconds", Int(drill?.at.seconds ?? 0))
        observation.gauge("vault_drill_last_good", drill?.isGood == true ? 1 : 0)
    }
}
