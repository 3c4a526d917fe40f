import HTTPTypes
import NIOCore
import Synchronization
import Testing
import Vault
import VaultBase
import VaultProviders

@testable import VaultHTTP

/// Providers that send no `state` back have it in the redirect URI: a whole login with each way.
@Suite struct StateCarrierTests {
    private func house(_ carrier: ProviderDescription.StateCarrier, posted: Bool = false) async throws -> House {
        let house = try await House()
        var platform = try Platform.scripted("acme", posted: posted)
        platform.provider.description.stateCarrier = carrier
        let entry = PlatformDirectory.Entry(name: platform.name, displayName: "Acme", platform: platform, fault: nil)
        house.vault.platforms.replace([entry])
        return house
    }

    /// Begins a login; the path and query that the provider sends the browser to, with its code.
    private func begin(_ browser: Browser) async throws -> (callback: String, redirectURI: String) {
        let start = try await browser.send(.post, "/auth/acme/login")
        let url = try #require(try start.json["authorizationUrl"]?.string)
        let query = try FormParameters.parse(String(url.split(separator: "?", maxSplits: 1)[1]))
        let redirectURI = try #require(query.first { $0.name == "redirect_uri" }?.value)
        // As a provider does: it adds the code, and the state where it got one as a parameter.
        var added = [("code", "the-code")]
        if let state = query.first(where: { $0.name == "state" }) { added.append(("state", state.value)) }
        let uri = redirectURI + (redirectURI.contains("?") ? "&" : "?") + FormParameters.encode(added)
        return (try #require(uri.split(separator: "8000", maxSplits: 1).last.map(String.init)), redirectURI)
    }

    @Test(arguments: [ProviderDescription.StateCarrier.parameter, .redirectQuery, .redirectPath])
    func aLoginEndsWell(carrier: ProviderDescription.StateCarrier) async throws {
        let house = try await house(carrier)
        let sent = Mutex<[String]>([])
        house.provider.answer { stage, form throws(ProviderFailure) in
            if stage == "exchange" { sent.withLock { $0.append(form["redirect_uri"] ?? "") } }
            return nil
        }
        try await house.visit { browser async throws in
            let (callback, redirectURI) = try await begin(browser)
            // Another browser has no part in it.
            try await browser.stranger().send(.get, callback).expectProblem("forbidden", 403)
            let answer = try await browser.send(.get, callback)
            try #require(answer.status == .seeOther, "\(callback): \(answer.text)")
            let session = try #require(try answer.fragment["session"])
            #expect(try await browser.send(.get, "/auth/acme/token", session: session).status == .ok)
            // RFC 6749 §4.1.3: identical in both requests.
            let redeemed = sent.withLock { $0 }
            #expect(try redeemed.map { try FormParameters.parse("x=\($0)")[0].value } == [redirectURI])
            // The same again gets the same answer.
            #expect(try await browser.send(.get, callback).status == .seeOther)
            #expect(sent.withLock { $0.count } == 1)
        }
    }

    @Test func theStateOfThePathCountsAlone() async throws {
        let house = try await house(.redirectPath)
        try await house.visit { browser async throws in
            let (callback, _) = try await begin(browser)
            #expect(try await browser.send(.get, callback + "&state=other").status == .seeOther)
            try await browser.send(.get, "/auth/acme/callback/guess?code=x").expectProblem("forbidden", 403)
            try await browser.send(.get, "/auth/acme/callback/%ff?code=x").expectProblem("forbidden", 403)
            try await browser.send(.get, "/auth/acme/callback?code=x").expectProblem("forbidden", 403)
        }
    }

    @Test func aPostedCallbackKeepsItsPath() async throws {
        let house = try await house(.redirectPath, posted: true)
        try await house.visit { browser async throws in
            let (callback, _) = try await begin(browser)
            let path = String(callback.split(separator: "?")[0])
            // From the provider's own origin, without our cookie.
            let answer = try await browser.stranger().send(
                .post, path,
                headers: [.contentType: "application/x-www-form-urlencoded", .origin: "https://acme.example"],
                body: .init(string: "code=the-code"))
            #expect(answer.status == .seeOther)
            let next = try #require(answer.headers[.location])
            #expect(next == path + "?code=the-code")
            #expect(try await browser.send(.get, next).status == .seeOther)
        }
    }

    @Test func aStateInThePathIsNothingForOtherPlatforms() async throws {
        let house = try await house(.parameter, posted: true)
        try await house.visit { browser async throws in
            try await browser.send(.get, "/auth/acme/callback/x?code=y&state=z").expectProblem("not-found", 404)
            let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
            try await browser.send(.post, "/auth/acme/callback/x", headers: form, body: .init(string: "code=y"))
                .expectProblem("not-found", 404)
            try await browser.send(.get, "/auth/nowhere/callback/x").expectProblem("no-platform", 404)
        }
    }
}
