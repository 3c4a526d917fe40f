import HTTPTypes
import Testing
import Vault
import VaultBase

@testable import VaultHTTP

/// What a back end may bring as a connection, and what not.
@Suite struct ServiceGrantTests {
    @Test(arguments: [
        "", "[]", "{}", "nonsense", #"{"accessToken":""}"#, #"{"accessToken":1}"#, #"{"accessToken":"a\nb"}"#,
        #"{"accessToken":"a","generation":9}"#, #"{"accessToken":"a","health":"healthy"}"#,
        #"{"accessToken":"a","user":"eve"}"#, #"{"accessToken":"a","refreshToken":"r\u0000"}"#,
        #"{"accessToken":"a","expiresAt":"soon"}"#, #"{"accessToken":"a","subject":"x\u0000y"}"#,
        #"{"accessToken":"a","expiresAt":-1}"#, #"{"accessToken":"a","consentedAt":253402300800}"#,
        #"{"accessToken":"a","displayName":"\#(String(repeating: "é", count: 257))"}"#,
        #"{"accessToken":"\#(String(repeating: "a", count: 6145))"}"#, #"{"accessToken":"é"}"#,
    ]) func whatIsNoGrantIsRefused(body: String) async throws {
        let (house, key, _) = try await House.withKey()
        try await house.visit { browser async throws in
            let answer = try await browser.send(
                .put, "/v1/users/bob/connections/acme", session: key, json: body)
            try answer.expectProblem("bad-request", 400, "\(body.prefix(40))")
            #expect(try house.vault.connections(of: UserID("bob")).isEmpty)
        }
    }

    @Test(arguments: [
        #"{"accessToken":"a","refreshToken":null,"tokenType":null,"scope":null,"subject":null,"displayName":null}"#,
        #"{"accessToken":"a","expiresAt":253402300799,"consentedAt":null}"#,
        #"{"accessToken":"a","expiresAt":"9999-12-31T23:59:59Z"}"#,
        #"{"accessToken":"a","displayName":"\#(String(repeating: "é", count: 256))"}"#,
    ]) func whatIsNullOrAtItsLimitIsTaken(body: String) async throws {
        let (house, key, _) = try await House.withKey()
        try await house.visit { browser async throws in
            let answer = try await browser.send(
                .put, "/v1/users/bob/connections/acme", session: key, json: body)
            #expect(answer.status == .ok, "\(answer.text)")
        }
    }
}
