import ArgumentParser
import Vault
import VaultBase

/// `vault status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how the vault is: counts, room, platforms, server.",
        discussion: """
            vault status
            vault status --json
            vault status --config /etc/vault/vault.conf
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        try await Workplace.with(common, plugins: true) { place in
            let store = place.settings[\.storePath]
            try await place.perform(.status) { event in
                guard case .status(let status) = event else { return }
                if json { return try Terminal.answer(JSON.line(status)) }
                for line in Self.lines(status, store: store) { try Terminal.answer(line) }
            }
        }
    }

    static func lines(_ status: StatusDocument, store: String) -> [String] {
        let server =
            status.serverProcess.map { "process \($0), since \(status.serverSince ?? "")" } ?? "none is running"
        var lines = Words.fields([
            ("store", store), ("vault", "\(status.vault)  made \(status.createdAt)"), ("server", server),
            ("connections", "\(status.connections)"),
            ("sessions", "\(status.sessions)"), ("logins", "\(status.logins)"),
            ("unfinished refreshes", "\(status.unfinishedRefreshes)"),
            ("ending soon", words(status.expiring)), ("events to tell", words(status.pendingEvents)),
            ("revocations to retry", words(status.pendingRevocations)), ("service keys", words(status.serviceKeys)),
            ("room", "\(Sizes.words(status.usedBytes)) of \(Sizes.words(status.quotaBytes)) used"),
            ("last backup", age(status.lastBackup)), ("last drill", age(status.lastDrill)),
            (
                "clock",
                status.clockAhead.map {
                    "\(Words.count($0, "second")) ahead of the time here; if that is right: vault check --accept-clock"
                }
            ),
            ("data keys", rotation(status.terms ?? [])),
            ("keys", status.keysAreLocked ? nil : "not locked in memory: raise RLIMIT_MEMLOCK"),
        ])
        for platform in status.platforms {
            lines.append("")
            lines.append(
                "\(platform.platform)  \(platform.displayName)  \(platform.available ? "available" : "not available")")
            if let reason = platform.reason { lines.append("  \(Terminal.plain(reason))") }
            if let hint = platform.hint { lines.append("  \(Terminal.plain(hint))") }
        }
        return lines
    }

    private static func age(_ mark: BackupMarkDocument?) -> String {
        guard let mark else { return "never" }
        return "\(Words.relative(mark.at))  \(mark.good ? "" : "failed  ")\(mark.file)"
    }

    /// A number worth a line; nil for none.
    private static func words(_ count: Int?) -> String? { count.flatMap { $0 == 0 ? nil : "\($0)" } }

    /// An unfinished rotation; nil when there is none.
    private static func rotation(_ terms: [TermDocument]) -> String? {
        guard terms.contains(where: { $0.state == "readable" }) else { return nil }
        let left = terms.reduce(0) { $0 + ($1.state == "active" ? 0 : $1.values) }
        return "a rotation is not finished, \(Words.count(left, "value")) to go: vault rotate goes on with it"
    }
}
