import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// What an operator's commands tell, in the transaction of what they do.
@Suite struct CommandEventTests {
    private func perform(_ command: AdministrativeCommand, _ world: World) async throws {
        let local = LocalAdministration(
            vault: world.vault, plugins: [], clientIDs: [World.first: "client", World.second: "client"])
        try await local.perform(command) { _ in }
    }

    private func document(
        _ user: String, at platform: PlatformName = World.first, generation: UInt64 = 1, health: Health = .healthy,
        subject: String? = nil
    ) throws -> ConnectionDocument {
        let now = HandClock.start
        return ConnectionDocument(
            Connection(
                user: try UserID(user), platform: platform, accessToken: Secret("access-of-\(user)"),
                refreshToken: Secret("refresh-of-\(user)"), createdAt: now, updatedAt: now, consentedAt: now,
                subject: subject ?? "account-of-\(user)", clientID: "client", generation: generation, health: health),
            reveal: true)
    }

    /// Each event as `type user`, and who asked.
    private func told(_ world: World) throws -> [String] {
        try world.events().map { "\($0.kind.name.dropFirst(11)) \($0.user) \($0.facts.by ?? "-")" }
    }

    @Test func whatIsPutIsConnected() async throws {
        let world = try await World()
        try await perform(.put(document("ada")), world)
        #expect(try told(world) == ["connected ada operator"])
    }

    @Test func whatIsImportedIsConnectedEachUnlessItIsToBeSilent() async throws {
        let world = try await World()
        try await perform(.import([document("ada"), document("bob", at: World.second)], silent: false), world)
        try await perform(.import([document("cy")], silent: true), world)
        #expect(try told(world) == ["connected ada operator", "connected bob operator"])
        #expect(try world.records.status().connections == 3)
    }

    @Test func whatComesDeadOrInDoubtIsToldSo() async throws {
        let world = try await World()
        try await perform(.put(document("ada", health: .reconnect(reason: "invalid_grant"))), world)
        try await perform(.put(document("bob", health: .uncertain)), world)
        #expect(
            try told(world) == [
                "connected ada operator", "reconnect_needed ada operator", "connected bob operator",
                "uncertain bob operator",
            ])
        #expect(try world.events().map(\.facts.reason) == [nil, "invalid_grant", nil, nil])
    }

    @Test func anImportThatFailsTellsNothing() async throws {
        let world = try await World()
        let both = [try document("ada", subject: "one"), try document("bob", subject: "one")]
        #expect(await code { try await perform(.import(both, silent: false), world) } == .accountInUse)
        #expect(try told(world) == [])
    }

    @Test func whatIsDeletedIsRevokedHereAndNotAtTheProvider() async throws {
        let world = try await World()
        for platform in [World.first, World.second] { try await perform(.put(document("ada", at: platform)), world) }
        try await perform(.put(document("bob")), world)
        try await perform(.delete(user: "bob", platform: "first"), world)
        try await perform(.delete(user: "ada", platform: nil), world)
        #expect(
            try told(world).suffix(3) == [
                "revoked bob operator", "revoked ada operator", "revoked ada operator",
            ])
        #expect(try world.events().suffix(3).map(\.facts.revoked) == ["no", "no", "no"])
        #expect(try world.events().suffix(2).map(\.platform) == [World.first, World.second])
        #expect(await code { try await perform(.delete(user: "ada", platform: nil), world) } == .noConnection)
        #expect(try told(world).count == 6)
        #expect(world.provider.calls(.revoke) == 0)
    }

    @Test func whatABackupBringsBackIsConnectedAndInDoubt() async throws {
        let world = try await World()
        try await perform(.put(document("ada", generation: 5)), world)
        let (older, missing) = (try document("ada", generation: 4), try document("ada", at: World.second))
        try await perform(.restoreConnections([older, missing], overwrite: false), world)
        #expect(
            try told(world) == ["connected ada operator", "connected ada operator", "uncertain ada operator"])
        #expect(try world.events().last?.facts.reason == "restored")
        #expect(try world.events().last?.platform == World.second)
    }
}
