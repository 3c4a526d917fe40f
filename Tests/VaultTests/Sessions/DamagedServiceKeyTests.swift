import Testing
import VaultBase
import VaultRecords
import VaultStore

@testable import Vault

/// A service key that does not open stops none of the others, and can be removed.
@Suite struct DamagedServiceKeyTests {
    private func wish(_ name: String) -> ServiceWish {
        ServiceWish(name: name, actions: ["read-token"], platforms: [], lifetime: nil)
    }

    @Test func theOthersGoOnAndItCanBeEnded() async throws {
        let world = try await World()
        let bad = try await world.vault.createServiceKey(wish("bad"))
        try await world.damageAll(in: .services)
        let good = try await world.vault.createServiceKey(wish("good"))
        #expect(try world.vault.service(good.token).name == "good")
        #expect(await code { try world.vault.service(bad.token) } == .damaged)

        let listed = try await world.administration.all(.services)
        guard listed.count == 2, case .service(let key) = listed[0], case .notice(let words) = listed[1] else {
            throw Unexpected("\(listed)")
        }
        #expect(key.name == "good" && words.contains(bad.key.id))
        #expect(await code { try await world.administration.all(.revokeService(name: "bad")) } == .notFound)
        let ended = try await world.administration.all(.revokeService(name: bad.key.id))
        guard case .notice? = ended.first, ended.count == 1 else { throw Unexpected("\(ended)") }
        #expect(try await world.administration.all(.services).count == 1)
        #expect(try world.records.read { try $0.serviceKeys() } == [good.key])
    }

    /// As a scanner finds it, and as the log shows it.
    @Test(arguments: ["id", "lead", "whole"]) func aKeyIsEndedByWhatIsSeenOfIt(part: String) async throws {
        let world = try await World()
        let (key, token) = try await world.vault.createServiceKey(wish("job"))
        let text = ["id": key.id, "lead": "vlt_\(key.id)…", "whole": token.reveal()][part] ?? ""
        #expect(try await world.vault.revokeServiceKey(text) == key)
        #expect(await code { try world.vault.service(token) } == .unauthorized)
        let error = await #expect(throws: VaultError.self) { try await world.vault.revokeServiceKey(text) }
        #expect(error?.code == .notFound && error?.message.contains(token.reveal()) == false)
    }
}
