import ArgumentParser
import Synchronization
import Vault
import VaultBase

/// `vault service`
struct ServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "Work on the keys of back-end callers.",
        subcommands: [Create.self, List.self, Revoke.self])

    /// `vault service create`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a key for a back-end caller and print it, once.",
            discussion: """
                vault service create nightly-sync
                vault service create nightly-sync --platform spotify --action read-token --expires 30d
                vault service create import --action write --action read-connections --expires never

                The actions are read-connections, read-token, write, delete and end-sessions.
                """)

        @Argument(help: "What people call it.") var name: String
        @Option(help: "Only at this platform; may be repeated.") var platform: [String] = []
        @Option(help: "What it may do; may be repeated. Without: read-connections and read-token.")
        var action: [String] = []
        @Option(help: "How long it is valid: 30d, or never.") var expires = "90d"

        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let lifetime = Times.read(expires)
            guard expires == "never" || lifetime != nil else {
                throw VaultError(.badRequest, "--expires expects a time like 90d, or never")
            }
            let wish = ServiceWish(
                name: name, actions: action.isEmpty ? ["read-connections", "read-token"] : action,
                platforms: platform, lifetime: lifetime.map { $0.milliseconds / 1000 })
            let json = output.json
            try await Workplace.with(common) { place in
                try await place.perform(.createService(wish)) { event in
                    guard case .service(let service) = event else { return }
                    try Terminal.answer(json ? JSON.line(service) : service.key ?? "")
                    if !json {
                        Terminal.say("\(service.name) can \(service.words); the key is not shown again")
                    }
                }
            }
        }
    }

    /// `vault service list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the keys that are valid.",
            discussion: """
                vault service list
                vault service list --json
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            let table = Mutex(Columns(["NAME", "KEY", "CAN", "EXPIRES"]))
            try await Workplace.with(common) { place in
                try await place.perform(.services) { event in
                    guard case .service(let service) = event else { return }
                    if json { return try Terminal.answer(JSON.line(service)) }
                    table.withLock {
                        $0.add([service.name, "vlt_\(service.id)…", service.words, service.expiresAt ?? "never"])
                    }
                }
            }
            guard !json else { return }
            let (lines, isEmpty) = table.withLock { ($0.lines, $0.isEmpty) }
            guard !isEmpty else { return Terminal.say("there are no service keys") }
            for line in lines { try Terminal.answer(line) }
        }
    }

    /// `vault service revoke`
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "End a key at once.",
            discussion: """
                vault service revoke nightly-sync
                vault service revoke 0f1e2d3c4b5a6978
                """)

        @Argument(help: "The key's name, or its id, as the log and the list name it.") var name: String

        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            try await Workplace.with(common) { place in
                try await place.perform(.revokeService(name: name)) { event in
                    guard case .service(let service) = event else { return }
                    try Terminal.answer(json ? JSON.line(service) : "revoked \(service.name)")
                }
            }
        }
    }
}

extension ServiceDocument {
    /// `read-token at spotify`
    fileprivate var words: String {
        actions.joined(separator: ", ") + (platforms.isEmpty ? "" : " at \(platforms.joined(separator: ", "))")
    }
}
