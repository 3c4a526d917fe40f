import Dispatch
public import VaultBase
public import VaultProviders
import VaultRecords
import VaultStore

#if canImport(Glibc)
    import Glibc
#endif

/// Performs commands on a vault that is open in this process.
public struct LocalAdministration: Administration {
    let vault: Vault
    private let loaded: LoadedPlugins
    private let reload: (@Sendable () async throws -> ReloadDocument)?
    private let settle: @Sendable () async -> Void
    /// The client id of each configured platform, also of one whose provider is not usable now.
    var clientIDs: [PlatformName: String] { loaded.clientIDs }
    /// When the server started; nil when no server is running.
    let servingSince: Timestamp?
    /// Checks the store from another process; nil where a crash harms nobody but this command.
    let checker: Checker?

    /// Looks at every value from where a damaged page can do no harm, telling how many of how many were seen.
    public typealias Checker = @Sendable (_ step: @escaping @Sendable (Int, Int) -> Void) async throws -> CheckDocument

    public init(
        vault: Vault, plugins: [PluginReport], clientIDs: [PlatformName: String], servingSince: Timestamp? = nil,
        checker: Checker? = nil
    ) {
        self.init(
            vault: vault, loaded: LoadedPlugins(plugins, clientIDs: clientIDs), servingSince: servingSince,
            checker: checker)
    }

    /// - Parameters:
    ///   - reload: what loads plugins and platforms again; nil where nothing goes on that could need it.
    ///   - settle: waits until all plugins are loaded, where a start does not wait for those it does not need.
    public init(
        vault: Vault, loaded: LoadedPlugins, servingSince: Timestamp? = nil, checker: Checker? = nil,
        reload: (@Sendable () async throws -> ReloadDocument)? = nil,
        settle: @escaping @Sendable () async -> Void = {}
    ) {
        self.vault = vault
        self.loaded = loaded
        self.servingSince = servingSince
        self.checker = checker
        self.reload = reload
        self.settle = settle
    }

    public func perform(
        _ command: AdministrativeCommand, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        switch command {
        case .status: try await event(.status(status()))
        case .connections(let user): try await listConnections(user, event)
        case .show(let user, let platform, let reveal):
            let connection = try connection(UserID(user), PlatformName(platform))
            let shown = vault.shown(connection, now: vault.records.now)
            try await event(.connection(ConnectionDocument(shown, reveal: reveal)))
        case .put(let document): try await put([document], event)
        case .import(let documents, let isSilent): try await put(documents, isSilent: isSilent, event)
        case .export:
            for try await connection in ConnectionStream(vault.records) {
                try await event(.connection(ConnectionDocument(connection, reveal: true)))
            }
        case .refresh(let user, let platform):
            let (user, platform) = (try UserID(user), try PlatformName(platform))
            if try !vault.connectsItself(user, to: platform) {
                _ = try await vault.refresh(user, at: platform)
            } else {
                try await vault.connectItself(user, to: platform)
            }
            try await event(.connection(ConnectionDocument(connection(user, platform), reveal: false)))
        case .disconnect(let user, let platform):
            let end = try await vault.disconnect(UserID(user), from: PlatformName(platform), by: Teller.operatorName)
            try await event(
                .disconnected(DisconnectionDocument(deleted: end.deleted, revoked: end.revoked.rawValue)))
        case .delete(let user, let platform):
            let deleted = try await delete(UserID(user), platform.map { try PlatformName($0) })
            try await event(.deleted(deleted))
        case .sweep(let dryRun): try await event(.swept(sweep(dryRun: dryRun)))
        case .backup(let order): try await backup(order, event)
        case .restoreConnections(let documents, let overwrite):
            try await restore(documents, overwrite: overwrite, event)
        case .noteDrill(let drill): try await note(drill)
        case .check: try await check(event)
        case .recount: try await recount(event)
        case .acceptClock: try await acceptClock(event)
        case .plugins: try await listPlugins(event)
        case .reloadPlugins:
            guard let reload else {
                throw VaultError(
                    .badRequest, "no server is running that could reload",
                    hint: "the next command loads them anew anyway")
            }
            try await event(.reloaded(reload()))
            try await listPlugins(event)
        case .keys: try await keys(event)
        case .addKey(let new):
            try await event(told(await vault.records.addKey(new.newKey()), "key.added"))
        case .removeKey(let id): try await event(told(await vault.records.removeKey(id), "key.removed"))
        case .replaceKey(let id, let new):
            try await event(told(await vault.records.replaceKey(id, with: new.newKey()), "key.replaced"))
        case .rotate: try await rotate(event)
        case .rotationStatus: try await event(.rotation(RotationDocument(vault.records.rotationStatus())))
        case .events(let dead): try await listEvents(dead: dead, event)
        case .replay(let id): try await event(.happening(EventDocument(vault.replay(id))))
        case .services:
            try await listServices(event)
        case .createService(let wish):
            let made = try await vault.createServiceKey(wish)
            try await event(.service(ServiceDocument(made.key, token: made.token)))
        case .revokeService(let name):
            let ended = try await vault.revokeServiceKey(name)
            try await event(ended.map { .service(ServiceDocument($0)) } ?? .notice("the key did not open; it is gone"))
        case .sessions(let user):
            for session in try vault.sessions(of: UserID(user)) {
                try await event(.heldSession(HeldSessionDocument(session, outside: vault.records.outside)))
            }
        case .revokeSessions(let user, let id):
            let ended = try await vault.endSessions(of: UserID(user), id: id, by: Teller.operatorName)
            try await event(.deleted(DeletionDocument(connections: 0, sessions: ended)))
        case .issueSession(let user):
            let issued = try await vault.issueSession(for: UserID(user))
            try await event(
                .session(
                    SessionDocument(
                        user: issued.record.user.rawValue, session: issued.token.reveal(),
                        expiresAt: vault.records.outside(issued.record.endsAt).iso8601)))
        }
    }

    private func status() throws -> StatusDocument {
        let statistics = try vault.records.store.statistics()
        let state = try vault.records.status()
        let (expiring, pending) = try vault.records.read { view in
            (
                try view.endingCount(before: view.now + vault.options.warnBefore, limit: .max),
                try view.pendingEventCount(limit: .max)
            )
        }
        return StatusDocument(
            vault: state.vaultID, createdAt: state.createdAt.iso8601, sequence: state.sequence,
            clockAhead: state.clockAhead, restores: state.restores, connections: state.connections,
            sessions: state.sessions, logins: state.logins,
            unfinishedRefreshes: state.redemptions, expiring: expiring, pendingEvents: pending,
            serviceKeys: state.serviceKeys, pendingRevocations: state.revocations,
            usedBytes: statistics.usedBytes, quotaBytes: statistics.quotaBytes, fileBytes: statistics.fileBytes,
            commits: statistics.commits, operations: statistics.operations, keysAreLocked: state.keysAreLocked,
            platforms: vault.platforms.entries.map {
                PlatformDocument(
                    platform: $0.name.rawValue, displayName: $0.displayName, available: $0.platform != nil,
                    reason: $0.fault?.message, hint: $0.fault?.hint)
            },
            terms: state.terms.map(TermDocument.init),
            lastBackup: try vault.records.last(.backup).map(BackupMarkDocument.init),
            lastDrill: try vault.records.last(.drill).map(BackupMarkDocument.init), serverSince: servingSince?.iso8601,
            serverProcess: servingSince == nil ? nil : Int(getpid()))
    }

    private func connection(_ user: UserID, _ platform: PlatformName) throws -> Connection {
        guard let connection = try vault.records.read({ try $0.connection(user, platform) }) else {
            throw VaultError(
                .noConnection, "\(user) has no connection at \(platform)",
                hint: "see what there is with: vault connections \(user)")
        }
        return connection
    }

    private func listConnections(
        _ user: String?, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        if let user {
            for connection in try vault.connections(of: UserID(user)) {
                try await event(.connection(ConnectionDocument(connection, reveal: false)))
            }
            return
        }
        for try await connection in ConnectionStream(vault.records) {
            let shown = vault.shown(connection, now: vault.records.now)
            try await event(.connection(ConnectionDocument(shown, reveal: false)))
        }
    }

    private func listPlugins(_ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void) async throws {
        await settle()
        for report in loaded.reports {
            try await event(.plugin(PluginDocument(report, platforms: platforms(of: report))))
        }
    }

    private func platforms(of report: PluginReport) -> [PlatformName] {
        guard let id = report.provider?.description.id else { return [] }
        return vault.platforms.entries.filter { $0.platform?.provider.description.id == id }.map(\.name)
    }

    private func sweep(dryRun: Bool) async throws -> SweepDocument {
        var total = SweepDocument(dryRun: dryRun, connections: [], sessions: 0, logins: 0)
        var place: SweepPlace?
        repeat {
            let result = try await vault.records.sweep(
                grace: vault.options.sweepGrace, limit: 1000, dryRun: dryRun, from: place)
            total.connections += result.connections.map {
                .init(user: $0.user.rawValue, platform: $0.platform.rawValue)
            }
            total.sessions += result.sessions
            total.logins += result.logins
            place = result.next
        } while place != nil
        return total
    }

    private func check(_ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void) async throws {
        let document = try await Self.telling(event) { [vault, checker] step in
            if let checker { return try await checker(step) }
            // Seconds of plain work: not on the threads that answer requests.
            return try await withCheckedThrowingContinuation { continuation in
                DispatchQueue(label: "vault.check").async {
                    continuation.resume(with: Result { CheckDocument(try vault.records.verify(progress: step)) })
                }
            }
        }
        try await event(.checked(document))
    }

    /// Runs `work`, telling its progress as it goes. The work never waits for a slow reader: only the newest
    /// step counts, and a reader that has gone undoes nothing.
    static func telling<R: Sendable>(
        _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void,
        _ work: (@escaping @Sendable (Int, Int) -> Void) async throws -> R
    ) async throws -> R {
        let (steps, feed) = AsyncStream.makeStream(of: (Int, Int).self, bufferingPolicy: .bufferingNewest(1))
        async let told: Void = {
            for await (done, total) in steps { try await event(.progress(done: done, total: total)) }
        }()
        let result: Result<R, any Error>
        do {
            result = .success(try await work { done, total in feed.yield((done, total)) })
        } catch {
            result = .failure(error)
        }
        feed.finish()
        _ = try? await told
        return try result.get()
    }
}
