import ArgumentParser
import Vault
import VaultBase

/// `vault check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Prove that the vault is whole: open every value, count, compare.",
        discussion: """
            vault check
            vault check --json
            vault check --store-path /srv/vault-restored

            Finds values that were changed, moved, dropped, doubled or put back, and indexes that do not
            say what their records say. It mends nothing.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        let bar = ProgressBar("check")
        defer { bar.end() }
        try await Workplace.with(common) { place in
            try await place.perform(.check) { event in
                if case .progress(let done, let total) = event { bar.show(done, of: total) }
                guard case .checked(let check) = event else { return }
                bar.end()
                if json {
                    try Terminal.answer(JSON.line(check))
                } else {
                    try Self.answer(check)
                }
                guard check.sound else {
                    throw VaultError(
                        .damaged, "\(Words.count(check.problems.count, "problem")) found",
                        hint: "restore the last backup beside it and compare: vault restore FILE --into DIR")
                }
            }
        }
    }

    private static func answer(_ check: CheckDocument) throws {
        for problem in check.problems {
            let name = [problem.user, problem.platform].compactMap { $0 }.joined(separator: " at ")
            try Terminal.answer(
                Terminal.plain("\(problem.kind)  \(name.isEmpty ? "" : "\(name): ")\(problem.message)"))
        }
        if check.sound { try Terminal.answer("sound  \(Words.count(check.connections, "connection"))") }
    }
}
