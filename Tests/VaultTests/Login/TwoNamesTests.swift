import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

#if canImport(Glibc)
    import Glibc
#endif

/// Our own plugins, as they were built for this run.
private enum OwnPlugins {
    /// Where `Plugins/build.sh` leaves them, beside what `swift build` makes; nil when they are not there.
    static let folder: String? = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let program = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = "/" + program.split(separator: "/").dropLast().joined(separator: "/") + "/plugins"
        return ["spotify", "discord"].allSatisfy { access("\(folder)/\($0).so", R_OK) == 0 } ? folder : nil
    }()
}

/// One user and one provider's account under two names of ours: two registrations, two connections, and what happens to
/// one leaves the other alone. With our own plugins, against the provider in memory.
@Suite(.enabled(if: OwnPlugins.folder != nil, "the plugins are not built: sh Plugins/build.sh .build/debug/plugins"))
struct TwoNamesTests {
    private struct Pair {
        var world: World
        var vault: Vault
        var user: UserID
        var own: PlatformName
        var work: PlatformName
        func connections() throws -> [PlatformName] { try vault.connections(of: user).map(\.platform) }
    }

    /// Alice is connected at both, with the same account.
    private func start(_ id: String) async throws -> Pair {
        let folder = try #require(OwnPlugins.folder)
        let reports = await PluginFolder(path: folder, isolation: .inProcess, hostProgram: []).load()
        let provider = try #require(reports.compactMap(\.provider).first { $0.description.id == id })
        let (own, work) = (try PlatformName(id), try PlatformName(id + "-work"))
        let world = try await World()
        let vault = try world.restarted(
            platforms: PlatformDirectory(
                [own, work].map { name in
                    let platform = Platform(
                        name: name, provider: provider, clientID: "client-of-\(name)",
                        clientSecret: Secret("secret-of-\(name)"),
                        redirectURI: "https://vault.example/auth/\(name)/callback")
                    return .init(name: name, displayName: name.rawValue, platform: platform, fault: nil)
                }))
        var user: UserID?
        for name in [own, work] {
            var login = try await world.begin("alice", at: name, linking: user, vault: vault)
            #expect(World.query(login.start.authorizationURL)["client_id"] == "client-of-\(name)")
            // Discord says who it is.
            login.parameters.append(("iss", provider.description.issuer))
            guard case .connected(let session, _) = try await world.complete(login, vault: vault) else {
                throw Unexpected("the login at \(name) failed")
            }
            user = session.record.user
        }
        let alice = try #require(user)
        return Pair(world: world, vault: vault, user: alice, own: own, work: work)
    }

    @Test(arguments: ["spotify", "discord"]) func areTwoConnectionsOfOneUser(_ id: String) async throws {
        let pair = try await start(id)
        #expect(try pair.connections() == [pair.own, pair.work])
        let redirects = pair.world.provider.sent("redirect_uri", to: .exchange)
        #expect(redirects.count == 2 && Set(redirects).count == 2)
        let own = try await pair.vault.token(for: pair.user, at: pair.own)
        let work = try await pair.vault.token(for: pair.user, at: pair.work)
        #expect(own.accessToken != work.accessToken)
        let clients = try [pair.own, pair.work].map { try pair.world.connection(pair.user, $0).clientID }
        #expect(clients == ["client-of-\(id)", "client-of-\(id)-work"])
    }

    @Test(arguments: ["spotify", "discord"]) func aRefreshOfOneLeavesTheOther(_ id: String) async throws {
        let pair = try await start(id)
        let other = try pair.world.connection(pair.user, pair.own)
        let before = try pair.world.connection(pair.user, pair.work)
        let token = try await pair.vault.refresh(pair.user, at: pair.work)
        #expect(token.accessToken != before.accessToken)
        #expect(pair.world.provider.sent("refresh_token", to: .refresh) == [before.refreshToken?.reveal()])
        #expect(try pair.world.connection(pair.user, pair.own) == other)
        // Its grant ends, and the other one goes on.
        pair.world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        #expect(await code { try await pair.vault.refresh(pair.user, at: pair.work) } == .reconnect)
        #expect(try await pair.vault.token(for: pair.user, at: pair.own).accessToken == other.accessToken)
    }

    @Test(arguments: [("spotify", "unsupported"), ("discord", "yes")])
    func aDisconnectOfOneLeavesTheOther(_ id: String, _ revoked: String) async throws {
        let pair = try await start(id)
        let gone = try pair.world.connection(pair.user, pair.own)
        let end = try await pair.vault.disconnect(pair.user, from: pair.own)
        #expect(end.revoked.rawValue == revoked)
        #expect(
            pair.world.provider.sent("token", to: .revoke)
                == (revoked == "yes" ? [gone.refreshToken?.reveal()] : []))
        #expect(try pair.connections() == [pair.work])
        #expect(await code { try await pair.vault.token(for: pair.user, at: pair.own) } == .noConnection)
        _ = try await pair.vault.refresh(pair.user, at: pair.work)
        // The account still leads to the user by the name that is left.
        var login = try await pair.world.begin("alice", at: pair.work, vault: pair.vault)
        let issuer = id == "discord" ? "https://discord.com" : "https://accounts.spotify.com"
        login.parameters.append(("iss", issuer))
        guard case .connected(let session, _) = try await pair.world.complete(login, vault: pair.vault) else {
            throw Unexpected("the login failed")
        }
        #expect(session.record.user == pair.user)
    }
}
