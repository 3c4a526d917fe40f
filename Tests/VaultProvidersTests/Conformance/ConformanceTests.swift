import Foundation
import Testing
import VaultBase

@testable import VaultProviders

@Suite struct ConformanceTests {
    static func check(_ file: String) async -> ConformanceReport {
        var kit = Conformance(hostProgram: Workshop.hostProgram ?? [], isolation: isolations.last ?? .inProcess)
        kit.patience = PluginProcess.Patience(load: .seconds(120), call: .seconds(120), restart: .zero)
        return await kit.check(file)
    }

    @Test(.enabled(if: Workshop.hasSwift, "building the plugins needs swiftc"))
    func everyPluginOfOursKeepsEveryPromise() async throws {
        let folder = try Workshop.plugins.get()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".so") }
        #expect(names.count >= 20)
        await withTaskGroup(of: ConformanceReport.self) { group in
            for name in names { group.addTask { await Self.check("\(folder)/\(name)") } }
            for await report in group {
                #expect(report.isSound, "\(report.file): \(report.findings.filter { $0.verdict == .broken })")
                let isShort = ["apple-music", "sandbox-music"].contains(report.provider)
                #expect(report.count(.kept) >= (isShort ? 10 : 16), "\(report.file): \(report.count(.kept))")
            }
        }
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"), arguments: WrongPromise.all)
    func failsOnOneWrongPromise(_ wrong: WrongPromise) async throws {
        let folder = try Workshop.folder("wrong", c: wrong.text, flags: ["-D_GNU_SOURCE", "-fvisibility=hidden"])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = await Self.check("\(folder)/wrong.so")
        let broken = report.findings.filter { $0.verdict == .broken }
        #expect(broken.map(\.promise) == [wrong.breaks], "\(broken)")
        #expect(!report.isSound)
        #expect(broken.allSatisfy { $0.hint != nil })
    }

    @Test func aRightPluginIsSoundAndSoIsItsFile() async throws {
        let folder = try Workshop.folder("right", c: Workshop.plugin("right"), flags: ["-fvisibility=hidden"])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = await Self.check("\(folder)/right.so")
        #expect(report.isSound && report.count(.doubtful) == 0, "\(report.findings)")
        #expect(report.provider == "right")
        #expect(report.findings.contains { $0.promise == "file.exports" && $0.verdict == .kept })
        #expect(report.findings.contains { $0.promise == "file.needs" && $0.verdict == .kept })
    }

    /// A library of that name; the sandbox would not let one be read that is not the system's, so there is no Landlock.
    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aSharedSwiftRuntimeIsRefused() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let library = "\(folder)/libswiftFake.so"
        try Workshop.compile("int fake(void) { return 0; }", to: library, flags: ["-Wl,-soname,libswiftFake.so"])
        try Workshop.compile(
            Workshop.plugin("needy", before: "int fake(void);", entry: "return fake() ? 0 : &p;"),
            to: "\(folder)/needy.so",
            flags: ["-fvisibility=hidden", "-Wl,--no-as-needed", library, "-Wl,-rpath,\(folder)"])
        let host = try Workshop.hostProgram(without: ["__NR_landlock_create_ruleset"], in: folder)
        let report = await Conformance(hostProgram: host).check("\(folder)/needy.so")
        let broken = report.findings.filter { $0.verdict == .broken }
        #expect(broken.map(\.promise) == ["file.needs"], "\(broken)")
        #expect(broken.first?.message.contains("libswiftFake.so") == true && broken.first?.hint != nil)
    }

    @Test func whatAFileExportsAndNeedsIsSeen() async throws {
        let folder = try Workshop.folder(
            "open", c: Workshop.plugin("open", before: "#include <stdio.h>\nint helper(void) { return puts(\"\"); }"),
            flags: [])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = try PluginFile.read("\(folder)/open.so", limit: 1 << 24)
        let binary = try #require(PluginBinary(bytes))
        #expect(binary.exports.sorted().filter { !$0.hasPrefix("_") } == ["helper", "vault_plugin_v1"])
        #expect(binary.needs.contains { $0.hasPrefix("libc.") })
        // Damage at any place is a fault or another answer, never the end of this process.
        for offset in stride(from: 0, to: bytes.count, by: 41) {
            var damaged = bytes
            damaged[offset] = 0xFF
            _ = PluginBinary(damaged)
        }
        for size in stride(from: 0, to: bytes.count, by: 97) { _ = PluginBinary(Array(bytes.prefix(size))) }
    }
}
