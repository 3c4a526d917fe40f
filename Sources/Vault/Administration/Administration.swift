import VaultBase

/// What the command line does to a vault; one implementation works on the store, one through a running
/// server's socket, so a command has one code path.
public protocol Administration: Sendable {
    /// Performs `command`, handing over what it has to say as it goes.
    ///
    /// - Throws: ``VaultError``, the same by either implementation.
    func perform(
        _ command: AdministrativeCommand, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws
}

/// A command, as it travels over the socket (JSON).
public enum AdministrativeCommand: Codable, Sendable, Equatable {
    /// Counts, sizes and platforms → ``AdministrativeEvent/status(_:)``.
    case status
    /// One user's connections, or everybody's, without tokens → one `connection` each.
    case connections(user: String?)
    /// One connection → `connection`, with its tokens when `reveal` says so.
    case show(user: String, platform: String, reveal: Bool)
    /// Sets one connection → `written`, or `notice` before it.
    case put(ConnectionDocument)
    /// Sets up to ``importLimit`` connections in one transaction, and tells of each unless it is to be `silent`
    /// → `written`.
    case `import`([ConnectionDocument], silent: Bool)
    /// Everybody's connections with their tokens → one `connection` each.
    case export
    /// Redeems the refresh token now → `connection`, without tokens. Makes the connection where the tokens are the
    /// application's own.
    case refresh(user: String, platform: String)
    /// Revokes where that can be done, deletes always → `disconnected`.
    case disconnect(user: String, platform: String)
    /// Deletes one connection, or all of a user with its sessions; revokes nothing → `deleted`.
    case delete(user: String, platform: String?)
    /// Removes what ended → `swept`, or says what it would remove.
    case sweep(dryRun: Bool)
    /// Writes and verifies a backup → `progress`, then `backup`; only `notice` where an increment would hold nothing.
    case backup(BackupOrder)
    /// Puts connections of a backup back, one user's, where the vault has no newer ones → one `restored` each.
    case restoreConnections([ConnectionDocument], overwrite: Bool)
    /// Keeps what a drill found.
    case noteDrill(DrillDocument)
    /// Opens every value and compares with what was counted → `progress`, then `checked`.
    case check
    /// Counts anew what a check found miscounted, once every value opens → `recounted`.
    case recount
    /// Sets the vault's clock back to the wall clock's → `clock`.
    case acceptClock
    /// What became of each plugin → one `plugin` each.
    case plugins
    /// Takes in plugins and platforms as they are now → `reloaded`, then one `plugin` each. Only a server can.
    case reloadPlugins
    /// The keys that open the vault → one `key` each.
    case keys
    /// Lets another key open the vault → `key`.
    case addKey(NewKeyDocument)
    /// Removes a key by its id, or the beginning of it → `key`.
    case removeKey(id: String)
    /// Puts a key in the place of another in one step → `key`.
    case replaceKey(id: String, with: NewKeyDocument)
    /// Seals everything with a new data key and destroys the old one → `progress`, then `rotation`.
    case rotate
    /// How the data keys stand → `rotation`.
    case rotationStatus
    /// A new session for a user → `session`.
    case issueSession(user: String)
    /// A user's sessions that hold → one `heldSession` each.
    case sessions(user: String)
    /// Ends all sessions of a user, or one by its id, or the beginning of it → `deleted`.
    case revokeSessions(user: String, id: String?)
    /// What happened and is still kept, in order, or only what could not be told → one `happening` each.
    case events(dead: Bool)
    /// Tells an event again → `happening`.
    case replay(event: String)
    /// The valid service keys → one `service` each, and a `notice` for each that does not open.
    case services
    /// A new service key → `service`, with the key itself: the only time it is shown.
    case createService(ServiceWish)
    /// Ends a service key, by its name or its id → `service`, or `notice` for one that did not open.
    case revokeService(name: String)

    /// The most connections one `import` may carry.
    public static let importLimit = 256
}

/// One thing a command has to say.
public enum AdministrativeEvent: Codable, Sendable, Equatable {
    case progress(done: Int, total: Int)
    /// Something to know that is no failure.
    case notice(String)
    case status(StatusDocument)
    case connection(ConnectionDocument)
    case written(Int)
    case disconnected(DisconnectionDocument)
    case deleted(DeletionDocument)
    case swept(SweepDocument)
    case backup(BackupDocument)
    case restored(RestoredDocument)
    /// One problem, told as soon as it is found; all of them are in ``checked(_:)`` again.
    case problem(CheckDocument.Problem)
    case checked(CheckDocument)
    case recounted(RecountDocument)
    case clock(ClockDocument)
    case plugin(PluginDocument)
    case reloaded(ReloadDocument)
    case session(SessionDocument)
    case heldSession(HeldSessionDocument)
    case key(KeyDocument)
    case rotation(RotationDocument)
    case happening(EventDocument)
    case service(ServiceDocument)
}
