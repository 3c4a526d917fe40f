import ArgumentParser
import Glibc
import VaultBase
import VaultProviders

/// `vault plugin`: for those who write one.
struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Write a plugin: begin one, check one.",
        discussion: """
            vault plugin new acme
            vault plugin new acme --c
            vault plugin check acme/acme.so
            """,
        subcommands: [NewPluginCommand.self, CheckPluginCommand.self])
}

/// `vault plugin new`
struct NewPluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write a starting project for a plugin; it builds with one command.",
        discussion: """
            vault plugin new acme
            vault plugin new acme --c

            Makes the folder acme with everything the build needs: swiftc alone, or cc alone with --c.
            """)

    @Flag(help: "In C instead of Swift.")
    var c = false

    @Option(help: ArgumentHelp("The folder to make it in.", valueName: "folder"))
    var into = "."

    @Argument(help: "The provider's name: a-z, 0-9 and -.")
    var name: String

    func run() async throws {
        let project = PluginProject(try PlatformName(name), c ? .c : .swift)
        let name = into == "." ? name : "\(FilePath.expand(into))/\(name)"
        guard !FilePath.exists(name) else {
            throw VaultError(.file, "\(name) is there already", hint: "choose another name, or go elsewhere")
        }
        for file in project.files {
            let path = "\(name)/\(file.path)"
            try Self.makeFolders(Paths.directory(of: path))
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw VaultError(.file, "\(path): \(systemWords(errno))") }
            defer { close(descriptor) }
            // A source is no secret: whoever may read the folder may read it.
            fchmod(descriptor, file.isProgram ? 0o755 : 0o644)
            try Terminal.write(file.text, to: descriptor)
        }
        try Terminal.answer("wrote \(name)/: change \(name)/\(project.source)")
        Terminal.say("next: sh \(name)/build.sh, then: vault plugin check \(name)/\(project.product)")
    }

    private static func makeFolders(_ path: String) throws(VaultError) {
        guard !FilePath.exists(path) else { return }
        let parent = Paths.directory(of: path)
        if parent != path, parent != "." { try makeFolders(parent) }
        guard mkdir(path, 0o755) == 0, chmod(path, 0o755) == 0 else {
            throw VaultError(.file, "\(path): \(systemWords(errno))")
        }
    }
}

/// `vault plugin check`
struct CheckPluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Hold a plugin to every promise of vault_plugin.h.",
        discussion: """
            vault plugin check acme.so
            vault plugin check acme.so --json
            vault plugin check idp.so --with issuer=https://id.example.com

            Loads it in the sandbox and lets a simulated provider answer it in every way that a provider may. Nothing is
            sent anywhere. The exit status is 1 when a promise is broken.
            """)

    @Option(
        name: .customLong("with"), parsing: .singleValue,
        help: ArgumentHelp("What an operator would write into the platform's section.", valueName: "name=value"))
    var values: [String] = []

    @OptionGroup var output: OutputOptions

    @Argument(help: "The plugin.")
    var file: String

    func run() async throws {
        var settings: [String: String] = [:]
        for value in values {
            guard let equals = value.firstIndex(of: "=") else {
                throw VaultError(.badRequest, "--with needs name=value", hint: "for instance: --with tenant=acme")
            }
            settings[String(value[..<equals])] = String(value[value.index(after: equals)...])
        }
        guard FilePath.exists(file) else { throw VaultError(.file, "there is no \(file)", hint: "build it first") }
        let kit = Conformance(hostProgram: [ProcessRules.program, "plugin-host"])
        let report = await kit.check(file, settings: settings)
        try answer(report)
        guard report.isSound else {
            throw VaultError(
                .plugin, "\(Words.count(report.count(.broken), "promise")) broken",
                hint: "mend what is marked BROKEN; vault_plugin.h says what is promised")
        }
    }

    private func answer(_ report: ConformanceReport) throws {
        if output.json {
            for finding in report.findings { try Terminal.answer(JSON.line(FindingDocument(finding))) }
            return
        }
        let name = report.provider.map { "\($0) (\(report.displayName ?? $0))" } ?? "not usable"
        try Terminal.answer(Terminal.plain("\(file)  \(name)"))
        if report.provider != nil {
            try Terminal.answer(
                "held by  \(report.protections.isEmpty ? "nothing" : report.protections.joined(separator: " "))")
        }
        try Terminal.answer("")
        var table = Columns(["", "PROMISE", ""])
        for finding in report.findings {
            table.add([Self.words(finding.verdict), finding.promise, Terminal.plain(finding.message)])
            if let hint = finding.hint { table.add(["", "", "  " + Terminal.plain(hint)]) }
        }
        for line in table.lines.dropFirst() { try Terminal.answer(line) }
        try Terminal.answer("")
        try Terminal.answer(
            "\(report.count(.kept)) kept, \(report.count(.broken)) broken, \(report.count(.doubtful)) to look at, "
                + "\(report.count(.unchecked)) not checked")
    }

    private static func words(_ verdict: ConformanceReport.Finding.Verdict) -> String {
        switch verdict {
        case .kept: "kept"
        case .broken: "BROKEN"
        case .doubtful: "look at"
        case .unchecked: "-"
        }
    }
}

/// A finding as a line of JSON.
private struct FindingDocument: Codable {
    var promise: String
    var verdict: String
    var message: String
    var hint: String?

    init(_ finding: ConformanceReport.Finding) {
        (promise, verdict) = (finding.promise, finding.verdict.rawValue)
        (message, hint) = (finding.message, finding.hint)
    }
}
