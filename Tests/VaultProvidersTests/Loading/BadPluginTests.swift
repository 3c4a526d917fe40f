import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// What is wrong with one plugin is told of it, and costs the others nothing.
@Suite struct BadPluginTests {
    /// One that is right, to lie beside each of them.
    static let good = Result { "\(try Workshop.folder("good", c: Workshop.plugin("good")))/good.so" }

    func expectOnlyItsOwnReport(_ bad: BadPlugin, _ isolation: Isolation) async throws {
        let folder = try Workshop.folder("bad", c: bad.text, flags: bad.flags)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: Self.good.get(), toPath: "\(folder)/good.so")
        var patience = Workshop.patient
        if bad.name.contains("loops") { patience.load = .seconds(5) }
        let reports = await Workshop.load(folder, isolation, patience: patience)
        try #require(reports.count == 2)
        #expect(reports[0].provider == nil)
        #expect(reports[0].fault?.code == .plugin)
        #expect(reports[0].fault?.hint != nil)
        #expect(reports[0].fault?.message.contains(bad.says) == true, "\(String(describing: reports[0].fault))")
        #expect(reports[1].provider?.description.id == "good", "\(String(describing: reports[1].fault))")
    }

    @Test(arguments: BadPlugin.wrong) func refusesAWrongPluginHere(_ bad: BadPlugin) async throws {
        try await expectOnlyItsOwnReport(bad, .inProcess)
    }

    @Test(
        .enabled(if: Workshop.hostProgram != nil, "the vault program is not built"),
        arguments: BadPlugin.wrong + BadPlugin.deadly)
    func aBadPluginInAProcessCostsItsOwnReportAlone(_ bad: BadPlugin) async throws {
        try await expectOnlyItsOwnReport(bad, .process)
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aHostThatIsNoVaultIsNamed() async throws {
        let folder = try Workshop.folder(c: Workshop.plugin("x"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for program in [["/bin/cat"], ["/nonexistent/vault", "plugin-host"], []] {
            let report = await PluginFolder(path: folder, isolation: .process, hostProgram: program).load()
            #expect(report.count == 1 && report[0].fault?.code == .plugin && report[0].fault?.hint != nil)
        }
    }
}
