import Foundation
import Testing
import VaultABI
import VaultBase

@testable import VaultProviders

@Suite struct ABITests {
    static let header = Workshop.repository.appending(path: "Sources/VaultABI/include/vault_plugin.h").path

    @Test(arguments: [["cc", "-x", "c", "-std=c11"], ["c++", "-x", "c++", "-std=c++17"]])
    func theHeaderIsPlainCAndCPlusPlus(_ compiler: [String]) throws {
        let options = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", Self.header]
        #expect(try Workshop.run(compiler + options) == 0)
    }

    @Test func theHeaderIsShortEnoughToRead() throws {
        let lines = try String(contentsOfFile: Self.header, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count < 250)
        #expect(lines.allSatisfy { $0.count <= 120 })
    }

    /// Every member set to something else than its default.
    static let everything = #"""
        static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) { (void)call; (void)message; return 0; }
        static const vault_provider_v1 p = {
            .abi = VAULT_ABI_V1, .flags = 127, .id = "all", .name = "Alles é", .issuer = "https://x.example",
            .issuer_aliases = "x.example y", .authorize = "https://x.example/a", .token = "https://{user.host}.x.example/t",
            .refresh = "{user.base}/r", .revoke = "https://x.example/{client_id}/v", .profile = "https://x.example/p",
            .validate = "https://x.example/w", .hosts = "x.example {user.host}.x.example", .scopes = " a  b ", .scope_separator = ",",
            .settings = "host base", .discovery = VAULT_DISCOVERY_RFC8414, .pkce = VAULT_PKCE_SUPPORTED,
            .client = VAULT_CLIENT_NONE, .state = VAULT_STATE_REDIRECT_PATH, .refresh_rule = VAULT_REFRESH_NONE,
            .account = VAULT_ACCOUNT_TOKEN, .revocation = VAULT_REVOKE_BOTH, .account_id = "u/id|uid",
            .display_name = "u/name", .access_token = "s/key", .refresh_token = "s/rt", .scope = "s/scope",
            .id_token = "s/id", .expires_in = "expires s/left", .api_header = "X-Token", .api_prefix = "",
            .revoke_token_parameter = "access_token", .revoke_statuses = "200 204", .absolute_lifetime = 1,
            .idle_lifetime = 2, .default_lifetime = 3, .validate_every = 3600,
            .names = (const vault_pair_v1[]){{"client_id", "app"}, {"token.scope", ""}, {0}},
            .authorize_parameters = (const vault_pair_v1[]){{"a", "{user.base}"}, {0}},
            .token_parameters = (const vault_pair_v1[]){{"b", "2"}, {0}},
            .refresh_parameters = (const vault_pair_v1[]){{"c", "{redirect_uri}"}, {0}},
            .revoke_parameters = (const vault_pair_v1[]){{"d", ""}, {0}},
            .api_headers = (const vault_pair_v1[]){{"Client-Id", "{client_id}"}, {0}},
            .shapes = (const vault_shape_v1[]){
                {"token", "GET", VAULT_ENCODING_QUERY, VAULT_AUTHENTICATION_NONE, (const vault_pair_v1[]){{"X-A", "1"}, {0}}},
                {"revoke", "DELETE", VAULT_ENCODING_JSON, VAULT_AUTHENTICATION_CLIENT, 0}, {.stage = "profile"}, {0}},
            .errors = (const vault_error_v1[]){
                {VAULT_RECONNECT, 401, "error/code", "9", 0}, {VAULT_RETRY, 0, 0, 0, "later"}, {0}},
            .prepare = prepare, .parse = prepare, .more = (const vault_pair_v1[]){{"of_the_future", "yes"}, {0}},
        };
        const vault_provider_v1 *vault_plugin_v1(void) { return &p; }
        """#

    @Test(arguments: isolations) func everyMemberArrives(_ isolation: Isolation) async throws {
        let folder = try Workshop.folder("all", c: Self.everything)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = try #require(await Workshop.load(folder, isolation).first)
        let found = try #require(report.provider?.description, "\(String(describing: report.fault))")

        var wanted = ProviderDescription(id: "all", displayName: "Alles é", issuer: "https://x.example")
        wanted.issuerAliases = ["x.example", "y"]
        wanted.endpoints.authorize = "https://x.example/a"
        wanted.endpoints.token = "https://{user.host}.x.example/t"
        wanted.endpoints.refresh = "{user.base}/r"
        wanted.endpoints.revoke = "https://x.example/{client_id}/v"
        wanted.endpoints.profile = "https://x.example/p"
        wanted.endpoints.validate = "https://x.example/w"
        wanted.hosts = ["x.example", "{user.host}.x.example"]
        wanted.scopes = ["a", "b"]
        wanted.scopeSeparator = ","
        wanted.sendsScopeOnTokenRequests = true
        wanted.discovery = .rfc8414
        wanted.pkce = .supported
        wanted.clientAuthentication = .none
        wanted.stateCarrier = .redirectPath
        wanted.requiresIssuerParameter = true
        wanted.callbackMayBePosted = true
        wanted.names = ["client_id": "app", "token.scope": ""]
        wanted.authorizeParameters = ["a": "{user.base}"]
        wanted.tokenParameters = ["b": "2"]
        wanted.refreshParameters = ["c": "{redirect_uri}"]
        wanted.revokeParameters = ["d": ""]
        wanted.requests = ["token": .init(), "revoke": .init(), "profile": .init()]
        wanted.requests["token"]?.method = "GET"
        wanted.requests["token"]?.encoding = .query
        wanted.requests["token"]?.authentication = ProviderDescription.RequestShape.Authentication.none
        wanted.requests["token"]?.headers = ["X-A": "1"]
        wanted.requests["revoke"]?.method = "DELETE"
        wanted.requests["revoke"]?.encoding = .json
        wanted.requests["revoke"]?.authentication = .client
        wanted.apiAuthentication = .header(name: "X-Token", prefix: "")
        wanted.apiHeaders = ["Client-Id": "{client_id}"]
        wanted.response.accessToken = ["s", "key"]
        wanted.response.refreshToken = ["s", "rt"]
        wanted.response.scope = ["s", "scope"]
        wanted.response.idToken = ["s", "id"]
        wanted.response.expiresIn = ["expires", "s.left"]
        wanted.response.zeroMeansNever = true
        wanted.response.neverExpires = true
        wanted.response.defaultLifetime = 3
        wanted.refresh = .none
        wanted.absoluteLifetime = 1
        wanted.idleLifetime = 2
        wanted.accountID = .tokenResponse(["u", "id|uid"])
        wanted.displayNamePath = ["u", "name"]
        wanted.revocation.which = .both
        wanted.revocation.tokenParameter = "access_token"
        wanted.revocation.sendsHint = true
        wanted.revocation.okStatuses = [200, 204]
        wanted.errorRules = [
            .init(status: 401, path: ["error", "code"], match: .equals("9"), failure: .reconnect),
            .init(status: nil, path: [], match: .contains("later"), failure: .retry),
        ]
        wanted.userParameters = ["host", "base"]
        wanted.validateEvery = 3600
        wanted.hasPrepareHook = true
        wanted.hasParseHook = true
        wanted.hookNeedsSecret = true
        #expect(found == wanted)
    }

    @Test func whatIsLeftOutIsPlainOAuth() async throws {
        let folder = try Workshop.folder("plain", c: Workshop.plugin("plain"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var wanted = ProviderDescription(id: "plain", displayName: "Test", issuer: "https://plain.example")
        wanted.endpoints.authorize = "https://plain.example/a"
        wanted.endpoints.token = "https://plain.example/t"
        wanted.endpoints.profile = "https://plain.example/me"
        #expect(await Workshop.load(folder, .inProcess).first?.provider?.description == wanted)
    }

    /// What a child sends is somebody else's bytes: any of them must end in a description or an error.
    @Test func believesNothingThatAChildSays() throws {
        var random = SystemRandomNumberGenerator()
        let names = [
            "id", "name", "issuer", "token", "hosts", "flags", "pkce", "errors/0/failure", "errors/0/equals",
            "shapes/token/method",
            "shapes/token/headers/X", "names/state", "authorize_parameters/a", "expires_in", "revoke_statuses",
            "settings", "/", "",
        ]
        let values = [
            "", "x", "https://x.example/", "{", "{user.", "}", "-1", "9999999999999999999", "\n", "é", "a b", "/",
            "200", "1",
        ]
        for _ in 0..<5000 {
            let entries = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                RawDescription.Entry(
                    name: names.randomElement(using: &random) ?? "", value: values.randomElement(using: &random) ?? "")
            }
            _ = try? DescriptionReader.read(RawDescription(entries: entries))
            let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...20, using: &random)
            }
            if let frame = Frame(payload: bytes) {
                #expect(Array(frame.encoded.dropFirst(4)) == bytes)
                _ = HookInput(frame)
                _ = HookOutput(frame)
            }
        }
    }

    /// A message that is larger than what the socket takes, to somebody who does not read.
    @Test func aWriteEndsAtItsDeadline() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let failure = #expect(throws: FrameSocket.Failure.self) {
            try FrameSocket(descriptor: ends[0]).write(
                Frame([[UInt8](repeating: 0, count: 1 << 20)]), by: .now + .milliseconds(50))
        }
        #expect(failure == .late)
    }
}
