import ArgumentParser
import Vault
import VaultBase

/// `vault rotate`
struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Seal everything with a new data key and destroy the old one.",
        discussion: """
            vault rotate --dry-run         what it would do
            vault rotate
            vault rotate --status          how far one has come

            The server goes on meanwhile, and a refresh is never held up by it. Stopped at any moment, the
            next vault rotate goes on. The old key is destroyed only after everything was read back under
            the new one; what does not open is named, and then the old key stays.

            Backups made before hold the old key and still open. What the file's free pages hold of old
            records goes with vault compact.
            """)

    @Flag(help: "Change nothing, say what would be done.") var dryRun = false
    @Flag(help: "Change nothing, say how the data keys stand.") var status = false
    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (json, looks, dryRun) = (output.json, status || dryRun, dryRun)
        let bar = ProgressBar("rotate")
        defer { bar.end() }
        try await Workplace.with(common) { place in
            try await place.perform(looks ? .rotationStatus : .rotate) { event in
                if case .progress(let done, let total) = event { bar.show(done, of: total) }
                guard case .rotation(let rotation) = event else { return }
                bar.end()
                if json {
                    try Terminal.answer(JSON.line(rotation))
                } else if dryRun {
                    try Terminal.answer(Self.plan(rotation))
                } else if let done = rotation.done {
                    try Self.answer(done)
                } else {
                    for line in Self.lines(rotation) { try Terminal.answer(line) }
                }
                guard let problems = rotation.done?.problems, !problems.isEmpty else { return }
                throw VaultError(
                    .damaged, "\(Words.count(problems.count, "problem")) found, so the old key stays",
                    hint: "look with vault check; once they are mended or deleted: vault rotate")
            }
        }
    }

    static func plan(_ rotation: RotationDocument) -> String {
        if rotation.unfinished {
            return "would go on with the rotation that was begun: \(Words.count(rotation.remaining, "value")) to seal"
        }
        let next = (rotation.terms.last?.id ?? 0) + 1
        return
            "would add term \(next), seal \(Words.count(rotation.total, "value")) with it and destroy term \(next - 1)"
    }

    private static func answer(_ done: RotationDocument.Done) throws {
        for problem in done.problems {
            let name = [problem.user, problem.platform].compactMap { $0 }.joined(separator: " at ")
            try Terminal.answer(
                Terminal.plain("\(problem.kind)  \(name.isEmpty ? "" : "\(name): ")\(problem.message)"))
        }
        try Terminal.answer(
            "term \(done.term) seals  \(Words.count(done.resealed, "value")) sealed again\(done.resumed ? " to finish" : "")"
        )
        guard !done.destroyed.isEmpty else { return }
        try Terminal.answer("term \(done.destroyed.map { "\($0)" }.joined(separator: ", ")) destroyed")
        Terminal.say("make a new backup: older ones hold the old key; vault compact clears the file's free pages")
    }

    static func lines(_ rotation: RotationDocument) -> [String] {
        var lines = ["TERM  STATE      VALUES  MADE"]
        for term in rotation.terms {
            lines.append(
                [
                    pad("\(term.id)", 4), pad(term.state, 9), pad("\(term.values)", 6), term.createdAt,
                ].joined(separator: "  "))
        }
        if rotation.unfinished {
            lines.append(
                "not finished, \(Words.count(rotation.remaining, "value")) to go: vault rotate goes on with it")
        }
        return lines
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
