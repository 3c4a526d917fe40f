import VaultBase
import VaultRecords

/// Vaults to back up, and where the backups go.
struct BackupBench {
    let folder: Folder
    init() throws { folder = try Folder() }

    /// Three users, an ended connection, an account, an unfinished refresh, a session and a login.
    func filled() async throws -> Bench {
        let bench = try await Bench()
        let now = bench.now
        let connections = [
            try bench.connection("ada", "spotify", dueAt: now + .seconds(5)),
            try bench.connection("ada", "github", endsAt: now + .seconds(60)),
            try bench.connection("bob", "spotify"), try bench.connection("cy", "github", endsAt: now),
        ]
        let (session, login) = (try bench.session(), try bench.login())
        try await bench.records.write { records in
            for connection in connections { try records.put(connection, expecting: 0) }
            try records.setUser(UserID("ada"), of: "account-of-ada", at: PlatformName("spotify"))
            try records.begin(
                Redemption(user: UserID("bob"), platform: PlatformName("spotify"), generation: 1, begunAt: now))
            try records.put(session)
            try records.put(login)
        }
        return bench
    }

    /// As little as can be: a backup of it is changed at every byte.
    func small() async throws -> Bench {
        let bench = try await Bench()
        try await bench.put(bench.connection())
        return bench
    }

    func path(_ name: String) -> String { folder.path + "/" + name }

    func backup(
        _ bench: Bench, _ name: String = "b", for recipients: [BackupRecipient] = [.vault], since: ChainPoint? = nil
    ) async throws -> (String, Backup.Manifest) {
        (path(name), try await Backup.write(bench.records, to: path(name), for: recipients, since: since) { _, _ in })
    }
}
