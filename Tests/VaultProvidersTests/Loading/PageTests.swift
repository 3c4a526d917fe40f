import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// What the page for plugin authors shows is built and loaded as it stands there.
@Suite struct PageTests {
    static let page = Workshop.repository.appending(path: "Sources/Vault/Documentation.docc/Plugin-ABI.md")

    func block(_ language: String) throws -> String {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let start = try #require(text.range(of: "```\(language)\n"))
        let end = try #require(text[start.upperBound...].range(of: "\n```"))
        return String(text[start.upperBound..<end.lowerBound])
    }

    func load(_ language: String) async throws -> ProviderDescription {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let source = "\(folder)/Acme"
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: false)
        let file = language == "c" ? "acme.c" : "Acme.swift"
        try Data(block(language).utf8).write(to: URL(filePath: "\(source)/\(file)"))
        let script = Workshop.repository.appending(path: "Plugins/build.sh").path
        #expect(try Workshop.run(["sh", script, "\(folder)/out", source]) == 0)
        let report = try #require(await Workshop.load("\(folder)/out", isolations.last ?? .inProcess).first)
        return try #require(report.provider?.description, "\(String(describing: report.fault))")
    }

    @Test(arguments: ["c", "swift"]) func aPluginIsAboutTwentyFiveLines(_ language: String) throws {
        #expect(try block(language).split(separator: "\n").count <= 27)
    }

    @Test(.enabled(if: Workshop.hasSwift, "building the Swift plugin needs swiftc"))
    func bothPluginsOfThePageAreTheSame() async throws {
        let (c, swift) = (try await load("c"), try await load("swift"))
        #expect(c == swift)
        #expect(c.refresh == .singleUse)
        #expect(c.errorRules.count == 1)
    }

    static let hasRust = (try? Workshop.run(["rustc", "--version"])) == 0

    @Test(.enabled(if: hasRust, "rustc is not installed: the Rust plugin of the page is not compiled"))
    func theRustPluginOfThePageSaysTheSame() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(block("rust").utf8).write(to: URL(filePath: "\(folder)/acme.rs"))
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("rustc ") })
        let command = line.split(separator: " ").map { $0.hasPrefix("acme.") ? "\(folder)/\($0)" : String($0) }
        #expect(try Workshop.run(command) == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/acme.so")
        let report = try #require(await Workshop.load(folder, isolations.last ?? .inProcess).first)
        #expect(try await report.provider?.description == load("c"), "\(String(describing: report.fault))")
        let binary = try #require(PluginBinary(try PluginFile.read("\(folder)/acme.so", limit: 1 << 24)))
        #expect(binary.exports == ["vault_plugin_v1"] && binary.needs.isEmpty)
    }

    @Test func theCommandForCIsEnough() throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(block("c").utf8).write(to: URL(filePath: "\(folder)/acme.c"))
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("cc ") })
        let command = line.split(separator: " ").map { word in
            switch word {
            case "acme.c", "acme.so": "\(folder)/\(word)"
            case "Sources/VaultABI/include": Workshop.repository.appending(path: String(word)).path
            default: String(word)
            }
        }
        #expect(try Workshop.run(command + ["-Wall", "-Wextra", "-Werror"]) == 0)
    }
}
