import Foundation
import Testing
import VaultBase

@testable import VaultProviders

@Suite struct FolderTests {
    func mode(_ path: String, _ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test func saysThatThereIsNoFolder() async {
        let reports = await Workshop.load("/nonexistent/plugins", .inProcess)
        #expect(reports.count == 1)
        #expect(reports.first?.fault?.code == .file)
        #expect(reports.first?.fault?.hint?.contains("plugins.path") == true)
    }

    @Test func anEmptyFolderHasNothingToReport() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(await Workshop.load(folder, .inProcess).isEmpty)
    }

    @Test(arguments: Isolation.allCases) func looksAtWhatIsWantedAlone(_ isolation: Isolation) async throws {
        let folder = try Workshop.folder("a", c: Workshop.plugin("a"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Workshop.compile(Workshop.plugin("b"), to: "\(folder)/b.so")
        let first = await Workshop.load(folder, isolation, pins: ["c.so": "00"], only: ["b.so", "d.so"])
        #expect(first.map(\.fileName) == ["b.so", "c.so", "a.so"])
        #expect(first.map { $0.provider?.description.id } == ["b", nil, nil])
        #expect(first.map { $0.fault == nil } == [true, false, true])
        let all = await Workshop.load(folder, isolation, keeping: first)
        #expect(all.map { $0.provider?.description.id } == ["a", "b"])
    }

    @Test func refusesWhatOthersMayChange() async throws {
        let folder = try Workshop.folder("x", c: Workshop.plugin("x"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func fault() async -> VaultError? { await Workshop.load(folder, .inProcess).first?.fault }
        #expect(await fault() == nil)
        for bad in [0o775, 0o757] {
            try mode("\(folder)/x.so", bad)
            #expect(await fault()?.hint == "chmod go-w \(folder)/x.so")
            try mode("\(folder)/x.so", 0o755)
            try mode(folder, bad)
            #expect(await fault()?.hint == "chmod go-w \(folder)")
            try mode(folder, 0o755)
        }
        #expect(await fault() == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
    func refusesAFileOfAnotherUser() async throws {
        let folder = try Workshop.folder("x", c: Workshop.plugin("x"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chown("\(folder)/x.so", 65534, 65534)
        #expect(await Workshop.load(folder, .inProcess).first?.fault?.message.contains("65534") == true)
    }

    @Test func followsALinkToAPlaceThatIsSafeAlone() async throws {
        let folder = try Workshop.emptyFolder()
        let other = try Workshop.folder("x", c: Workshop.plugin("x"))
        defer {
            try? FileManager.default.removeItem(atPath: folder)
            try? FileManager.default.removeItem(atPath: other)
        }
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/x.so", withDestinationPath: "\(other)/x.so")
        #expect(await Workshop.load(folder, .inProcess).first?.fault == nil)
        try mode(other, 0o777)
        #expect(await Workshop.load(folder, .inProcess).first?.fault?.code == .plugin)
        try FileManager.default.removeItem(atPath: "\(other)/x.so")
        #expect(await Workshop.load(folder, .inProcess).first?.fault?.code == .plugin)
    }

    @Test func refusesWhatIsNoLibrary() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("not a library".utf8).write(to: URL(filePath: "\(folder)/text.so"))
        try Data().write(to: URL(filePath: "\(folder)/empty.so"))
        try FileManager.default.createDirectory(atPath: "\(folder)/folder.so", withIntermediateDirectories: false)
        try Data("ignored".utf8).write(to: URL(filePath: "\(folder)/README"))
        let reports = await Workshop.load(folder, isolations.last ?? .inProcess)
        #expect(reports.map { $0.path.split(separator: "/").last } == ["empty.so", "folder.so", "text.so"])
        #expect(reports.allSatisfy { $0.fault?.code == .plugin && $0.fault?.hint != nil })
    }

    /// Its symbols are read, and none of its code is run.
    @Test(arguments: isolations) func whatIsNoPluginIsNotRun(_ isolation: Isolation) async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, symbol) in [("none", "something_else"), ("one", "vault_plugin_v1")] {
            let code = """
                #include <stdlib.h>
                __attribute__((constructor)) static void init(void) { setenv("VAULT_TEST_RAN_\(name)", "1", 1); }
                const vault_provider_v1 *\(symbol)(void) { return 0; }
                """
            try Workshop.compile(code, to: "\(folder)/\(name).so")
        }
        let reports = await Workshop.load(folder, isolation)
        #expect(reports.map { $0.fault?.message.contains("vault_plugin_v1") } == [true, false])
        #expect(reports.map { $0.fault?.message.contains("refuses") } == [false, true])
        #expect(getenv("VAULT_TEST_RAN_none") == nil)
        // Where its code runs here, it shows.
        if isolation == .inProcess { #expect(getenv("VAULT_TEST_RAN_one") != nil) }
    }

    @Test func holdsAFileToItsPin() async throws {
        let folder = try Workshop.folder("x", c: Workshop.plugin("x"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let digest: @Sendable ([UInt8]) -> [UInt8] = { [UInt8($0.count % 251), $0.reduce(0, &+)] }
        let pin = Hex.encode(digest(Array(try Data(contentsOf: URL(filePath: "\(folder)/x.so")))))
        #expect(await Workshop.load(folder, .inProcess, pins: ["x.so": pin], sha256: digest).first?.fault == nil)
        let wrong = await Workshop.load(folder, .inProcess, pins: ["x.so": "00"], sha256: digest).first?.fault
        #expect(wrong?.message.contains("pinned") == true)
        #expect(await Workshop.load(folder, .inProcess, pins: ["x.so": pin]).first?.fault != nil)
        let missing = await Workshop.load(folder, .inProcess, pins: ["y.so": pin], sha256: digest)
        #expect(missing.count == 2 && missing[1].fault?.message.contains("not there") == true)
    }

    @Test func refusesTheLaterOfTwoWithOneNameOrIssuer() async throws {
        let folder = try Workshop.folder("a", c: Workshop.plugin("one"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Workshop.compile(
            Workshop.plugin("one", ".issuer = \"https://else.example\","), to: "\(folder)/b.so", flags: ["-w"])
        try Workshop.compile(
            Workshop.plugin("two", ".issuer = \"https://one.example\",", before: ""), to: "\(folder)/c.so",
            flags: ["-w"])
        // The same server under two names is no mix-up.
        let same =
            ".issuer = \"https://one.example\", .authorize = \"https://one.example/a\", .token = \"https://one.example/t\","
        try Workshop.compile(Workshop.plugin("three", same), to: "\(folder)/d.so", flags: ["-w"])
        let reports = await Workshop.load(folder, .inProcess)
        #expect(reports.map { $0.fault == nil } == [true, false, false, true])
        #expect(reports[1].fault?.message == "its id one is that of \(folder)/a.so")
        #expect(reports[2].fault?.message == "its issuer https://one.example is that of \(folder)/a.so")
    }

    /// Whether a plugin runs in this process, by what it puts into its scopes.
    static func placed(_ id: String) -> String {
        Workshop.plugin(
            id, before: "#include <stdio.h>\n#include <unistd.h>\nstatic char text[32]; static vault_provider_v1 q;",
            entry: "q = p; snprintf(text, sizeof text, \"p%d\", getpid()); q.scopes = text; return &q;")
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"), arguments: Isolation.allCases)
    func aProviderRunsWhereItsPlatformSays(_ standard: Isolation) async throws {
        let folder = try Workshop.folder("apart", c: Self.placed("apart"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Workshop.compile(Self.placed("here"), to: "\(folder)/here.so")
        // Its file has another name, so it is not known before it is asked.
        try Workshop.compile(Self.placed("hidden"), to: "\(folder)/other.so")
        try Workshop.compile(Self.placed("plain"), to: "\(folder)/plain.so")
        let isolations: [String: Isolation] = ["apart": .process, "here": .inProcess, "hidden": .process]
        let reports = await Workshop.load(folder, standard, isolations: isolations)
        #expect(reports.map(\.fileName) == ["apart.so", "here.so", "other.so", "plain.so"])
        #expect(reports.map(\.isolation) == [.process, .inProcess, .process, standard])
        for report in reports {
            let here = report.provider?.description.scopes == ["p\(getpid())"]
            #expect(here == (report.isolation == .inProcess), "\(report.fileName) \(String(describing: report.fault))")
        }
        let again = await Workshop.load(folder, standard, keeping: reports, isolations: isolations)
        #expect(again.map(\.isolation) == reports.map(\.isolation) && again.allSatisfy { $0.fault == nil })

        // A name lends no trust to another provider.
        try Workshop.compile(Self.placed("liar"), to: "\(folder)/trusted.so")
        let liar = await Workshop.load(
            folder, .process, only: ["trusted.so"], isolations: ["trusted": .inProcess]
        ).first
        #expect(liar?.provider == nil && liar?.fault?.hint == "name it liar.so")
    }
}
