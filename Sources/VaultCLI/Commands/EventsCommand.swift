import ArgumentParser
import Synchronization
import Vault
import VaultBase

/// `vault events`
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "List what happened to connections and who was told, or tell it again.",
        discussion: """
            vault events                   all that is kept, the oldest first
            vault events --dead            what a webhook could not be told
            vault events --replay evt_4f…  tell it again: where it failed, else everybody
            """)

    @Flag(help: "Only what a webhook could not be told.") var dead = false
    @Option(help: ArgumentHelp("Tell this event again.", valueName: "id")) var replay: String?

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        let command: AdministrativeCommand = replay.map { .replay(event: $0) } ?? .events(dead: dead)
        let count = Atomic(0)
        try await Workplace.with(common) { place in
            try await place.perform(command) { event in
                guard case .happening(let event) = event else { return }
                count.add(1, ordering: .relaxed)
                try Terminal.answer(json ? JSON.line(event) : Self.line(event))
            }
        }
        if count.load(ordering: .relaxed) == 0, !json {
            Terminal.say(dead ? "no event is dead" : "nothing happened yet")
        }
    }

    /// One event, one line: lists may be long.
    static func line(_ event: EventDocument) -> String {
        let facts = [
            event.reason, event.grantEndsAt.map { "ends \($0)" }, event.missingScope.map { "without \($0)" },
            event.revoked.map { "revoked: \($0)" }, event.by.map { "by \($0)" },
        ]
        let told = event.deliveries.map { deliveries in
            deliveries.map { delivery in
                "\(delivery.webhook) \(delivery.state)" + (delivery.code.map { " (\($0))" } ?? "")
            }
        }
        let words = facts.compactMap { $0 } + (told ?? ["new"])
        return Terminal.plain(
            "\(event.at)  \(event.id)  \(event.type)  \(event.user)  \(event.platform)"
                + (words.isEmpty ? "" : "  " + words.joined(separator: ", ")))
    }
}
