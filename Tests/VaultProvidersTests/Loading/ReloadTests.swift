import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// Loading a folder again: what is the same stays, what is new comes in, what is gone goes.
@Suite(.serialized) struct ReloadTests {
    /// A plugin with a hook, so that in a process of its own it has a child.
    static func hooked(_ id: String, _ scope: String) -> String {
        Workshop.plugin(
            id, ".scopes = \"\(scope)\", .prepare = prepare,",
            before: """
                static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {
                    (void)call; (void)message; return VAULT_DONE;
                }
                """)
    }

    /// As `Plugins/build.sh` does it: a new file in the old one's place.
    static func put(_ text: String, _ target: String) throws {
        try Workshop.compile(text, to: target + ".new")
        #expect(rename(target + ".new", target) == 0)
    }

    static func children(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { pid in
            guard Int(pid) != nil, let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return false
            }
            return String(decoding: line, as: UTF8.self).contains("\(folder)/")
        }
    }

    func hooks(_ reports: [PluginReport], _ id: String) -> AnyObject? {
        reports.first { $0.provider?.description.id == id }?.provider?.hooks.map { $0 as AnyObject }
    }

    @Test(arguments: isolations) func takesInWhatWasAddedChangedAndRemoved(_ isolation: Isolation) async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for id in ["stays", "changes", "goes"] { try Self.put(Self.hooked(id, "one"), "\(folder)/\(id).so") }
        let before = await Workshop.load(folder, isolation)
        #expect(before.allSatisfy { $0.fault == nil })

        try Self.put(Self.hooked("changes", "two"), "\(folder)/changes.so")
        try Self.put(Self.hooked("comes", "one"), "\(folder)/comes.so")
        try FileManager.default.removeItem(atPath: "\(folder)/goes.so")
        let after = await Workshop.load(folder, isolation, keeping: before)
        #expect(after.compactMap { $0.provider?.description.id } == ["changes", "comes", "stays"])
        #expect(hooks(before, "stays") != nil && hooks(after, "stays") === hooks(before, "stays"))
        let changed = try #require(after.first)
        if isolation == .process {
            #expect(changed.provider?.description.scopes == ["two"] && changed.fault == nil)
        } else {
            // The code that runs here cannot be replaced, and that is said.
            #expect(changed.provider?.description.scopes == ["one"])
            #expect(changed.fault?.message.contains("changed on disk") == true)
            let gone = await Workshop.load(folder, isolation)
            #expect(gone.first?.fault?.message.contains("another file was loaded") == true)
        }
        #expect(after.dropFirst().allSatisfy { $0.fault == nil })
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aCallGoesOnWithWhatItBeganWith() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.put(Self.hooked("acme", "one"), "\(folder)/acme.so")
        let before = await Workshop.load(folder, .process)
        let engine = FlowEngine(
            Platform(
                name: try PlatformName("acme"), provider: try #require(before.first?.provider), clientID: "me",
                clientSecret: nil, redirectURI: "https://app.example/cb"))
        try Self.put(Self.hooked("acme", "two"), "\(folder)/acme.so")
        let after = await Workshop.load(folder, .process, keeping: before)
        #expect(after.first?.provider?.description.scopes == ["two"])
        #expect(try await engine.refreshRequest(refreshToken: Secret("r"), scope: "").method == "POST")
    }

    /// A hundred and a thousand, with what they cost the server: `torture_reload.py`.
    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func manyReloadsLeaveNoOrphan() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let spare = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: spare) }
        try Self.put(Self.hooked("keeps", "one"), "\(folder)/keeps.so")
        try Workshop.compile(Self.hooked("turns", "one"), to: "\(spare)/turns.so")
        var reports: [PluginReport] = []
        for _ in 0..<20 {
            // A new file each time, so each time a new child and the end of the old one.
            try FileManager.default.copyItem(atPath: "\(spare)/turns.so", toPath: "\(folder)/turns.new")
            #expect(rename("\(folder)/turns.new", "\(folder)/turns.so") == 0)
            reports = await Workshop.load(folder, .process, keeping: reports)
            #expect(reports.count == 2 && reports.allSatisfy { $0.provider != nil })
        }
        var left = Self.children(folder)
        for _ in 0..<500 where left.count > 2 {
            usleep(10000)
            left = Self.children(folder)
        }
        #expect(left.count == 2, "\(left)")
        withExtendedLifetime(reports) {}
        reports = []
        for _ in 0..<500 where !Self.children(folder).isEmpty { usleep(10000) }
        #expect(Self.children(folder).isEmpty)
    }
}
