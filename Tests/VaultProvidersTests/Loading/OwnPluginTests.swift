import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// Where a plugin can run in this build of the tests.
let isolations: [Isolation] = Workshop.hostProgram == nil ? [.inProcess] : [.inProcess, .process]

@Suite(.enabled(if: Workshop.hasSwift, "building the plugins needs swiftc"))
struct OwnPluginTests {
    func providers(_ isolation: Isolation) async throws -> [String: ProviderDescription] {
        let reports = await Workshop.load(try Workshop.plugins.get(), isolation)
        for report in reports { #expect(report.fault == nil, "\(report.path): \(String(describing: report.fault))") }
        return Dictionary(
            reports.compactMap { $0.provider?.description }.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    @Test(arguments: isolations) func loadsEveryPluginOfOurs(_ isolation: Isolation) async throws {
        let folders = try FileManager.default.contentsOfDirectory(
            at: Workshop.repository.appending(path: "Plugins").resolvingSymlinksInPath(),
            includingPropertiesForKeys: [.isDirectoryKey]
        ).filter { $0.hasDirectoryPath }
        let providers = try await providers(isolation)
        #expect(Set(providers.keys) == Set(folders.map { $0.lastPathComponent.lowercased() }))
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func saysTheSameInBothModes() async throws {
        #expect(try await providers(.process) == providers(.inProcess))
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func tellsWhichProtectionsAreActive() async throws {
        for report in await Workshop.load(try Workshop.plugins.get(), .process) {
            // Old kernels have no Landlock; containers may refuse it. The others always work.
            #expect(
                Set(["no-new-privileges", "not-dumpable", "dies-with-host", "limits", "seccomp"])
                    .isSubset(of: report.protections))
        }
        for report in await Workshop.load(try Workshop.plugins.get(), .inProcess) {
            #expect(report.protections.isEmpty)
        }
    }

    @Test(.enabled(if: Workshop.hasReadelf, "needs readelf and nm"))
    func areSmallAndNeedTheCLibraryAlone() throws {
        let folder = try Workshop.plugins.get()
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".so") }
        #expect(!files.isEmpty)
        for file in files {
            let path = "\(folder)/\(file)"
            let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            #expect(size < 40_000, "\(file) has \(size) bytes")
            let needed = try Workshop.output(["readelf", "-d", path]).text.split(separator: "\n")
                .filter { $0.contains("(NEEDED)") }
            #expect(needed.allSatisfy { $0.contains("[libc.so.6]") }, "\(file): \(needed)")
            let symbols = try Workshop.output(["nm", "-D", "--defined-only", path]).text.split(separator: "\n")
            #expect(symbols.count == 1 && symbols[0].hasSuffix(" T vault_plugin_v1"), "\(file): \(symbols)")
        }
    }

    @Test func saysWhatThePlatformsDo() async throws {
        let all = try await providers(.inProcess)

        let spotify = try #require(all["spotify"])
        #expect(spotify.accountID == .profile(["account_id|id"]))
        #expect(spotify.refresh == .keepIfAbsent)
        #expect(spotify.absoluteLifetime == Int64(182 * 86400))
        #expect(spotify.endpoints.revoke.isEmpty)

        let soundcloud = try #require(all["soundcloud"])
        #expect(soundcloud.refresh == .singleUse)
        #expect(soundcloud.clientAuthentication == .post)
        #expect(soundcloud.apiAuthentication == .header(name: "Authorization", prefix: "OAuth "))
        #expect(soundcloud.scopes.isEmpty)
        #expect(soundcloud.requests["revoke"]?.authentication == .accessToken)
        #expect(soundcloud.callbackMayBePosted)

        let youtube = try #require(all["youtube"])
        #expect(youtube.authorizeParameters == ["access_type": "offline", "prompt": "consent"])
        #expect(youtube.accountID == .idTokenSubject)
        #expect(youtube.requests["revoke"]?.authentication == ProviderDescription.RequestShape.Authentication.none)

        #expect(all["oidc"]?.discovery == .oidc)
        #expect(all["sandbox"]?.refresh == .singleUse)
        #expect(all["sandbox"]?.pkce == .required)
    }

    @Test func letsAnOperatorNameAnyProvider() async throws {
        let oauth2 = try #require(try await providers(.inProcess)["oauth2"])
        var platform = Platform(
            name: try PlatformName("mine"), provider: Provider(description: oauth2), clientID: "c",
            clientSecret: Secret("s"), redirectURI: "https://app.example/cb",
            parameters: [
                "authorize": "https://id.example/a", "token": "https://id.example/t",
                "profile": "https://id.example/me",
                "account-id": "data.id", "client-auth": "post",
            ])
        try platform.check()
        let engine = FlowEngine(platform)
        #expect(try await engine.refreshRequest(refreshToken: Secret("r"), scope: "").form["client_secret"] == "s")
        #expect(try await engine.profileRequest(accessToken: Secret("a"))?.url == "https://id.example/me")
        #expect(try await engine.revocationRequests(accessToken: Secret("a"), refreshToken: nil).isEmpty)
        platform.parameters["token"] = nil
        #expect(throws: VaultError.self) { try platform.check() }
    }

    @Test func runsTheSandboxOnLoopbackAlone() async throws {
        let sandbox = try #require(try await providers(.inProcess)["sandbox"])
        var platform = Platform(
            name: try PlatformName("sandbox"), provider: Provider(description: sandbox), clientID: "sandbox",
            clientSecret: Secret("s"), redirectURI: "http://127.0.0.1:8000/auth/sandbox/callback",
            parameters: ["issuer": "http://127.0.0.1:8002"], insecureLoopback: true)
        try platform.check()
        let engine = FlowEngine(platform)
        #expect(engine.issuer == "http://127.0.0.1:8002")
        #expect(engine.tokenEndpoint == "http://127.0.0.1:8002/token")
        let revocations = try await engine.revocationRequests(accessToken: Secret("a"), refreshToken: Secret("r"))
        #expect(revocations.map(\.url) == ["http://127.0.0.1:8002/revoke"])
        platform.insecureLoopback = false
        #expect(throws: VaultError.self) { try platform.check() }
    }
}
