import ArgumentParser
import Vault
import VaultBase
import VaultRecords

/// `vault import`
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Set many connections from lines of JSON.",
        discussion: """
            vault import tokens.jsonl
            other-vault export | vault import -
            vault import --dry-run tokens.jsonl

            Each line is one object as vault export writes them: user, platform, accessToken and what
            vault put takes. All lines are checked before the first is written; then they are written
            256 at a time. Connections that are there already are replaced. Each is told as an event,
            unless --silent says otherwise.
            """)

    /// The largest file, in bytes.
    static let limit = 4 << 30

    @Argument(help: "The file; - is standard input.") var file: String
    @Flag(help: "Check only.") var dryRun = false
    @Flag(help: "Tell no webhook of it: for a first migration.") var silent = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let bytes =
            file == "-"
            ? try Terminal.input(limit: Self.limit) : try PrivateFile.read(file, limit: Self.limit, mode: .secret)
        let place = file == "-" ? "standard input" : file
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let count = try check(lines, place)
        let json = output.json
        if !dryRun, count > 0 {
            try await Workplace.with(common, plugins: true) { place in try await write(lines, count, place) }
        }
        if json { return try Terminal.answer(JSON.line(Answer(connections: count, dryRun: dryRun))) }
        try Terminal.answer("\(Words.count(count, "connection")) \(dryRun ? "would be imported" : "imported")")
    }

    private struct Answer: Encodable {
        var connections: Int
        var dryRun: Bool
    }

    private func check(_ lines: [ArraySlice<UInt8>], _ place: String) throws -> Int {
        var seen: Set<String> = []
        let now = SystemClock().now()
        for (index, line) in lines.enumerated() where !Self.isBlank(line) {
            let here = "\(place):\(index + 1)"
            let document = try ConnectionLines.read(Array(line), place: here)
            do throws(VaultError) {
                let connection = try document.connection(now: now, clientID: "")
                guard seen.insert("\(connection.user)\u{0}\(connection.platform)").inserted else {
                    throw VaultError(
                        .badRequest, "\(document) stands there twice", hint: "keep the newer of the two lines")
                }
            } catch {
                throw VaultError(error.code, "\(here): \(error.message)", hint: error.hint)
            }
        }
        return seen.count
    }

    private func write(_ lines: [ArraySlice<UInt8>], _ count: Int, _ place: Workplace) async throws {
        let bar = ProgressBar("importing")
        defer { bar.end() }
        var batch: [ConnectionDocument] = []
        var done = 0
        for line in lines where !Self.isBlank(line) {
            batch.append(try ConnectionLines.read(Array(line), place: "import"))
            done += 1
            guard batch.count == AdministrativeCommand.importLimit || done == count else { continue }
            do {
                try await place.perform(.import(batch, silent: silent)) { _ in }
            } catch let error as VaultError {
                throw VaultError(
                    error.code,
                    "\(error.message); \(Words.count(done - batch.count, "connection")) before it are imported",
                    hint: error.hint, cause: error)
            }
            batch = []
            bar.show(done, of: count)
        }
    }

    private static func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }
    }
}
