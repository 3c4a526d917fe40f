import Foundation
import Testing

/// The page `Documentation.docc/Threat-Model` promises a test for each of its lines: it is there.
@Suite struct ThreatModelTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// One line of a table: its number, its rule, and what holds it.
    private struct Line {
        var number: Int
        var proof: String
        /// The names in backticks.
        var tests: [String]
    }

    /// The numbered lines beneath the heading, up to the next heading of its level.
    private static func lines(beneath heading: String) throws -> [Line] {
        let page = try String(
            contentsOf: root.appending(path: "Sources/Vault/Documentation.docc/Threat-Model.md"), encoding: .utf8)
        let part = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix(heading) })
        return part.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, let number = Int(cells[0]) else { return nil }
            let pieces = cells[2].split(separator: "`", omittingEmptySubsequences: false)
            let tests = pieces.indices.filter { $0 % 2 == 1 }.map { String(pieces[$0]) }
            return Line(number: number, proof: cells[2], tests: tests)
        }
    }

    /// Every test of this package as `Suite/function`, with the targets that have it.
    private static let tests: [String: [String]] = {
        let folder = root.appending(path: "Tests")
        var found: [String: [String]] = [:]
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        for case let file as URL in files ?? .init() where file.pathExtension == "swift" {
            let target = file.pathComponents[folder.pathComponents.count]
            var suite = ""
            var isTest = false
            for line in (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? [] {
                if let match = line.firstMatch(of: #/^(?:@Suite.* )?(?:final class|struct|extension) (\w+)/#) {
                    suite = String(match.output.1)
                }
                if line.contains("@Test") { isTest = true }
                if isTest, let match = line.firstMatch(of: #/func (\w+)\(/#) {
                    found["\(suite)/\(match.output.1)", default: []].append(target)
                    isTest = false
                }
            }
        }
        return found
    }()

    @Test(arguments: [("The rules of OAuth", 81), ("What went wrong elsewhere", 20)])
    func everyLineNamesTestsThatExist(heading: String, count: Int) throws {
        let lines = try Self.lines(beneath: heading)
        #expect(lines.map(\.number) == Array(1...count))
        for line in lines {
            let says = ["Does not apply: ", "Not yet: "].contains { line.proof.contains($0) }
            #expect(!line.tests.isEmpty || says, "\(line.number) names no test and does not say why")
            for name in line.tests {
                let parts = name.split(separator: ".").map(String.init)
                let targets = Self.tests[parts.last ?? ""] ?? []
                let meant = parts.count == 2 ? targets.filter { $0 == parts[0] } : targets
                #expect(meant.count == 1, "\(line.number): \(name) is a test of \(targets)")
            }
        }
    }

    /// A reader that found nothing would find nothing wrong.
    @Test func theReaderOfThisPageReads() {
        #expect(Self.tests["ThreatModelTests/theReaderOfThisPageReads"] == ["VaultTests"])
        #expect(Self.tests["CallbackTests/anotherBrowserIsForbidden"] == ["VaultTests"])
        #expect((Self.tests["EndToEnd/theDemoPageWorksInARealBrowser"] ?? []) == ["EndToEndTests"])
        #expect(Self.tests["ThreatModelTests/thereIsNoSuchTest"] == nil)
        #expect(Self.tests.count > 600)
    }
}
