import ArgumentParser
import Vault
import VaultBase
import VaultRecords

/// `vault check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Prove that the vault is whole: open every value, count, compare.",
        usage: "vault check [--anchor <sequence:hash>] [--recount] [--accept-clock] [<options>]",
        discussion: """
            vault check
            vault check --anchor 4711:0f5e...
            vault check --json --store-path /srv/vault-restored
            vault check --recount
            vault check --accept-clock

            Finds values that were changed, moved, dropped, doubled or put back, and indexes that do not
            say what their records say. By itself it mends nothing. It works in a process of its own, so that a
            damaged page ends neither the command nor a running server.

            The last line is an anchor: keep it elsewhere. A check with it notices a store that was put
            back whole to an earlier state.

            --recount counts the vault anew before the check, when all its values open: after damage was
            replaced or deleted, whose trace would be a problem for ever. It gives up what the count was
            for: that a record dropped, doubled or put back before now is noticed. So restore a backup
            aside and compare first. The next backup is a full one.

            --accept-clock sets the vault's clock back to the time here, after something was written while
            that was wrong and ahead. What seems ended since then is there again; what really ended in
            between is too, until its own end by the time here. Look at the time first: date.
            """)

    @Flag(help: "Count anew first, giving up to notice what was dropped before now.") var recount = false
    @Flag(help: "First set the vault's clock back to the time here.") var acceptClock = false

    @Option(
        help: ArgumentHelp(
            "Compare with what an earlier check printed; several times: each of them.", valueName: "sequence:hash"))
    var anchor: [String] = []

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let anchors = try anchor.map { text throws(VaultError) in try CheckAnchor(text) }
        let settings = try common.settings()
        LogSetup.start(format: settings[\.logFormat], level: .warning)
        let store = settings[\.storePath]
        if recount || acceptClock { try await mend() }
        let bar = ProgressBar("check")
        var check: CheckDocument
        do {
            defer { bar.end() }
            if await SocketAdministration.answers(store: store) {
                check = try await Self.asked(SocketAdministration(store: store)) { bar.show($0, of: $1) }
            } else {
                check = try await CheckChild.alone(common) { bar.show($0, of: $1) }
            }
        }
        check.compare(with: anchors)
        if output.json { try Terminal.answer(JSON.line(check)) } else { try Self.answer(check) }
        guard check.sound else {
            throw VaultError(
                .damaged, "\(Words.count(check.problems.count, "problem")) found",
                hint: "restore the last backup beside it and compare: vault restore FILE --into DIR")
        }
    }

    private func mend() async throws {
        let commands: [AdministrativeCommand] = (acceptClock ? [.acceptClock] : []) + (recount ? [.recount] : [])
        try await Workplace.with(common) { place in
            for command in commands {
                try await place.perform(command) { event in
                    switch event {
                    case .clock(let clock):
                        Terminal.say("the vault's clock was \(Words.count(clock.ahead, "second")) ahead and is set")
                    case .recounted(let recount):
                        let values = Words.count(recount.values, "value")
                        Terminal.say(recount.changed ? "counted anew: \(values)" : "the count was right: \(values)")
                    default: break
                    }
                }
            }
        }
    }

    private static func asked(
        _ server: SocketAdministration, _ step: @escaping @Sendable (Int, Int) -> Void
    ) async throws -> CheckDocument {
        let (documents, feed) = AsyncStream.makeStream(of: CheckDocument.self)
        try await server.perform(.check) { event in
            switch event {
            case .progress(let done, let total): step(done, total)
            case .notice(let words): Terminal.warn(words)
            case .checked(let check): feed.yield(check)
            default: break
            }
        }
        feed.finish()
        for await document in documents { return document }
        throw VaultError(.internal, "the server ended the check without an answer")
    }

    private static func answer(_ check: CheckDocument) throws {
        for problem in check.problems {
            let name = [problem.user, problem.platform].compactMap { $0 }.joined(separator: " at ")
            try Terminal.answer(
                Terminal.plain("\(problem.kind)  \(name.isEmpty ? "" : "\(name): ")\(problem.message)"))
            if let hint = problem.hint { try Terminal.answer(Terminal.plain("  hint: \(hint)")) }
        }
        if check.sound { try Terminal.answer("sound  \(Words.count(check.connections, "connection"))") }
        if let ahead = check.clockAhead {
            try Terminal.answer("clock  \(Words.count(ahead, "second")) ahead of the time here")
            try Terminal.answer("  hint: if the time is right here: vault check --accept-clock")
        }
        if let anchor = check.anchor { try Terminal.answer("anchor  \(anchor)") }
    }
}

extension CheckDocument {
    mutating func compare(with anchors: [CheckAnchor]) {
        guard let present = anchor.flatMap({ try? CheckAnchor($0) }) else { return }
        problems += anchors.compactMap { $0.fault(at: present) }.map { Problem(anchor: $0) }
        sound = problems.isEmpty
    }
}
