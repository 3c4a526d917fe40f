import ArgumentParser
import Synchronization
import Vault
import VaultBase

/// `vault connections`
struct ConnectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections", abstract: "List who is connected where.",
        discussion: """
            vault connections              everybody
            vault connections 7f3c19       one user
            vault connections --json       one object a line, without tokens
            """)

    @Argument(help: "Only this user's.")
    var user: String?

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        let rows = Rows()
        try await Workplace.with(common) { place in
            try await place.perform(.connections(user: user)) { event in
                guard case .connection(let connection) = event else { return }
                if json { return try Terminal.answer(JSON.line(connection)) }
                try rows.add(connection)
            }
        }
        guard !json else { return }
        try rows.end()
        if rows.count == 0 {
            Terminal.say(user.map { "\(Terminal.plain($0)) has no connections" } ?? "there are no connections yet")
        }
    }

    /// Prints in blocks, so that a million connections neither wait nor fill the memory.
    private final class Rows: Sendable {
        private static let heads = ["USER", "PLATFORM", "HEALTH", "TOKEN ENDS", "ACCOUNT"]
        private static let block = 1000
        private let state = Mutex<(table: Columns, waiting: Int, count: Int)>((Columns(heads), 0, 0))

        var count: Int { state.withLock(\.count) }

        func add(_ connection: ConnectionDocument) throws {
            let isFull = state.withLock { state in
                state.table.add([
                    connection.user, connection.platform, connection.health ?? "", Words.relative(connection.expiresAt),
                    connection.displayName ?? connection.subject ?? "",
                ])
                state.waiting += 1
                state.count += 1
                return state.waiting == Self.block
            }
            if isFull { try end() }
        }

        func end() throws {
            let lines = state.withLock { state -> [String] in
                guard state.waiting > 0 else { return [] }
                state.waiting = 0
                return state.table.next()
            }
            for line in lines { try Terminal.answer(line) }
        }
    }
}
