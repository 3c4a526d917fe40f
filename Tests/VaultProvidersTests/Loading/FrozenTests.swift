import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// A plugin's source from the day version 1 was made, compiled against that day's header, loads and says the same.
@Suite struct FrozenTests {
    static let sources = Workshop.repository.appending(path: "Tests/VaultProvidersTests/Frozen")

    func build() throws -> String {
        let folder = try Workshop.emptyFolder()
        let frozen = Self.sources.path
        #expect(
            try Workshop.run([
                "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC",
                "-fvisibility=hidden", "-I\(frozen)", "\(frozen)/plugin_v1.c", "-o", "\(folder)/frozen.so",
            ]) == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/frozen.so")
        return folder
    }

    @Test(arguments: isolations) func thePluginOfTheFirstVersionLoads(_ isolation: Isolation) async throws {
        let folder = try build()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = try #require(await Workshop.load(folder, isolation).first)
        let found = try #require(report.provider?.description, "\(String(describing: report.fault))")

        var expected = ProviderDescription(id: "frozen", displayName: "Frozen", issuer: "https://frozen.example")
        expected.issuerAliases = ["frozen.example"]
        expected.endpoints.authorize = "https://frozen.example/authorize"
        expected.endpoints.token = "https://frozen.example/token"
        expected.endpoints.refresh = "https://frozen.example/refresh"
        expected.endpoints.revoke = "https://api.frozen.example/revoke"
        expected.endpoints.profile = "https://api.frozen.example/{user.region}/me"
        expected.endpoints.validate = "https://frozen.example/validate"
        expected.hosts = ["frozen.example", "api.frozen.example"]
        (expected.scopes, expected.scopeSeparator) = (["profile", "music"], ",")
        (expected.sendsScopeOnTokenRequests, expected.requiresIssuerParameter) = (true, true)
        expected.callbackMayBePosted = true
        (expected.pkce, expected.clientAuthentication, expected.refresh) = (.supported, .post, .singleUse)
        expected.names = ["client_id": "app_id", "token.scope": ""]
        expected.authorizeParameters = ["prompt": "consent"]
        expected.tokenParameters = ["output": "json"]
        expected.refreshParameters = ["redirect_uri": "{redirect_uri}"]
        expected.revokeParameters = ["all": "1"]
        expected.apiAuthentication = .header(name: "X-Token", prefix: "OAuth ")
        expected.apiHeaders = ["X-Client": "{client_id}"]
        var shape = ProviderDescription.RequestShape()
        (shape.method, shape.encoding, shape.authentication) = ("PUT", .json, .basic)
        shape.headers = ["X-Client": "{client_id}"]
        expected.requests = ["refresh": shape]
        expected.response.accessToken = ["tokens", "access"]
        expected.response.refreshToken = ["tokens", "refresh"]
        expected.response.scope = ["tokens", "scope"]
        expected.response.idToken = ["tokens", "id"]
        expected.response.expiresIn = ["tokens.lifetime", "expires_in"]
        (expected.response.zeroMeansNever, expected.response.defaultLifetime) = (true, 900)
        (expected.absoluteLifetime, expected.idleLifetime) = (31_536_000, 2_592_000)
        expected.accountID = .profile(["data", "0", "account_id|id"])
        expected.displayNamePath = ["data", "0", "name"]
        (expected.revocation.which, expected.revocation.tokenParameter) = (.both, "gone")
        (expected.revocation.sendsHint, expected.revocation.okStatuses) = (true, [200, 204])
        expected.errorRules = [
            .init(status: 401, path: ["message"], match: .equals("gone"), failure: .reconnect),
            .init(status: nil, path: [], match: .contains("no such app"), failure: .operatorAction),
        ]
        (expected.userParameters, expected.validateEvery) = (["region"], 3600)
        (expected.hasPrepareHook, expected.hasParseHook) = (true, true)
        #expect(found == expected)

        let engine = FlowEngine(
            Platform(
                name: try PlatformName("frozen"), provider: try #require(report.provider), clientID: "me",
                clientSecret: Secret("s"), redirectURI: "https://app.example/cb", parameters: ["region": "eu"]))
        let request = try await engine.refreshRequest(refreshToken: Secret("r"), scope: "")
        #expect(request.method == "PUT")
        #expect(request.header("X-Region") == "eu")
    }

    @Test func itKeepsEveryPromiseStill() async throws {
        let folder = try build()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = await ConformanceTests.check("\(folder)/frozen.so")
        #expect(report.isSound, "\(report.findings.filter { $0.verdict == .broken })")
    }
}
