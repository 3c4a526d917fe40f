import Testing
import VaultBase

@testable import VaultCLI

/// Sessions from the command line, with a server and without.
@Suite struct SessionCommandTests {
    private struct Held: Decodable {
        var user: String
        var id: String
    }

    private static func held(_ vault: TestVault) throws -> [Held] {
        let list = try vault.run("session", "list", "ada", "--json")
        #expect(list.status == 0, "\(list.err)")
        return try list.lines.map { try JSON.read(Held.self, Array($0.utf8), place: "list", hint: "") }
    }

    @Test(arguments: [false, true]) func theyAreListedAndEnded(beside: Bool) throws {
        let vault = try TestVault()
        let server = beside ? try TestServer(vault) : nil
        for _ in 0..<3 { #expect(try vault.run("session", "issue", "ada").status == 0) }
        #expect(try vault.run("session", "issue", "bob").status == 0)
        let held = try Self.held(vault)
        #expect(held.count == 3 && held.allSatisfy { $0.user == "ada" && $0.id.utf8.count == 22 })
        let shown = try vault.run("session", "list", "ada")
        #expect(held.allSatisfy { shown.out.contains($0.id) } && !shown.out.contains("eyJ"), "\(shown.out)")

        let one = try vault.run("session", "revoke", "ada", "--id=\(held[1].id)")
        #expect(one.status == 0 && one.out == "1 session ended\n", "\(one.out)\(one.err)")
        #expect(try Self.held(vault).map(\.id) == [held[0].id, held[2].id])
        let gone = try vault.run("session", "revoke", "ada", "--id=\(held[1].id)")
        #expect(gone.status != 0 && gone.err.contains("vault session list ada"), "\(gone.err)")

        let all = try vault.run("session", "revoke", "ada", "--json")
        #expect(all.out == "{\"sessions\":2}\n", "\(all.out)\(all.err)")
        #expect(try Self.held(vault).isEmpty)
        #expect(try vault.run("session", "list", "bob", "--json").lines.count == 1)
        if let server { #expect(server.stop() == 0) }
    }
}
