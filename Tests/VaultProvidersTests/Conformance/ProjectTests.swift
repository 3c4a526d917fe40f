import Foundation
import Testing
import VaultBase

@testable import VaultProviders

@Suite struct ProjectTests {
    @Test(arguments: [
        ("Sources/VaultABI/include/vault_plugin.h", EmbeddedFiles.header),
        ("Plugins/export.map", EmbeddedFiles.exportMap),
        ("Sources/VaultPluginKit/Hooks.swift", EmbeddedFiles.hooks),
        ("Sources/VaultPluginKit/Provider.swift", EmbeddedFiles.provider),
        ("Sources/VaultPluginKit/Published.swift", EmbeddedFiles.published),
    ])
    func whatIsHandedOutIsWhatIsHere(_ path: String, _ text: String) throws {
        let file = try String(contentsOf: Workshop.repository.appending(path: path), encoding: .utf8)
        #expect(file == text + "\n", "run: sh Plugins/embed.sh")
    }

    @Test(arguments: PluginProject.Language.allCases, ["acme", "my-idp", "4u"])
    func aNewProjectBuildsByItselfAndKeepsEveryPromise(_ language: PluginProject.Language, _ name: String) async throws
    {
        if language == .swift, !Workshop.hasSwift { return }
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let project = PluginProject(try PlatformName(name), language)
        for file in project.files {
            let target = URL(filePath: "\(folder)/\(file.path)")
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: target)
        }
        #expect(try Workshop.run(["sh", "\(folder)/build.sh"]) == 0)
        let report = await ConformanceTests.check("\(folder)/\(project.product)")
        #expect(report.isSound && report.count(.doubtful) == 0, "\(report.findings)")
        #expect(report.provider == name)
    }
}
