import HTTPTypes
import Testing

@testable import VaultHTTP

@Suite struct RedirectURITests {
    @Test(arguments: [
        [:], ["X-Forwarded-Host": "evil.example"], ["X-Forwarded-Proto": "gopher"], ["X-Original-URL": "/evil"],
        ["Forwarded": "host=evil.example;proto=https"], ["X-Forwarded-Prefix": "/evil"],
        ["Referer": "https://evil.example"],
    ])
    func noRequestChangesWhereAPlatformSendsTheBrowser(_ headers: [String: String]) async throws {
        var house = try await House()
        // Not even a proxy that is believed about the client's address.
        house.options.trustedProxies = ["0.0.0.0/0", "::/0"]
        try await house.visit { browser async throws in
            var fields = HTTPFields()
            for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
            let answer = try await browser.send(
                .post, "/auth/acme/login?redirect_uri=https://evil.example/", json: "{}", headers: fields)
            try #require(answer.status == .ok, "\(answer.text)")
            let url = try #require(try answer.json["authorizationUrl"]?.string)
            let query = try FormParameters.parse(String(url.split(separator: "?", maxSplits: 1)[1]))
            let uris = query.filter { $0.name == "redirect_uri" }.map(\.value)
            #expect(uris == ["http://127.0.0.1:8000/auth/acme/callback"])
        }
    }
}
