import Testing
import VaultBase

@testable import VaultProviders

/// Which token is revoked after what was said of the one before (RFC 7009 §2.2.1).
@Suite struct RevocationPlanTests {
    private static let unsupported = ProviderFailure(failure: .operatorAction, code: "unsupported_token_type")

    /// The tokens that are sent to a provider which revokes only those it `takes`, and whether it took one.
    private func course(
        _ which: ProviderDescription.Revocation.Which, refresh: String? = "rt", takes: Set<String>,
        parameter: String = "token"
    ) async throws -> (sent: [String?], isDone: Bool) {
        let engine = Fixture.engine {
            $0.revocation.which = which
            $0.revocation.tokenParameter = parameter
            $0.revocation.sendsHint = true
        }
        var sent: [String?] = []
        var plan = engine.revocationPlan(accessToken: Secret("at"), refreshToken: refresh.map { Secret($0) })
        while let request = try await engine.revocationRequest(plan, accessToken: Secret("at")) {
            let token = request.form["token"]
            #expect(request.form["token_type_hint"] == plan.next?.rawValue)
            sent.append(token)
            if let token, takes.contains(token) { plan.taken() } else { try plan.refused(Self.unsupported) }
        }
        return (sent, plan.isDone)
    }

    @Test(
        arguments: [
            (.refresh, "rt", ["at"], ["rt", "at"], true),
            (.refresh, "rt", [], ["rt", "at"], false),
            (.refresh, "rt", ["rt"], ["rt"], true),
            (.refresh, nil, [], ["at"], false),
            (.access, "rt", ["rt"], ["at", "rt"], true),
            (.access, nil, [], ["at"], false),
            (.both, "rt", ["rt"], ["rt", "at"], true),
            (.both, "rt", ["at"], ["rt", "at"], true),
            (.both, "rt", [], ["rt", "at"], false),
        ] as [(ProviderDescription.Revocation.Which, String?, Set<String>, [String], Bool)])
    func theOtherTokenIsTriedWhereTheFirstIsOfAKindThatIsNotRevoked(
        which: ProviderDescription.Revocation.Which, refresh: String?, takes: Set<String>, sent: [String],
        isDone: Bool
    ) async throws {
        let course = try await course(which, refresh: refresh, takes: takes)
        #expect(course.sent == sent)
        #expect(course.isDone == isDone)
    }

    @Test func aRequestThatNamesNoTokenIsNotSentTwice() async throws {
        let course = try await course(.refresh, takes: [], parameter: "")
        #expect(course.sent == [nil])
        #expect(!course.isDone)
    }

    @Test(arguments: [
        ProviderFailure(failure: .operatorAction, code: "invalid_client"),
        ProviderFailure(failure: .retry, code: "unsupported_token_type"),
    ])
    func anyOtherRefusalEndsIt(failure: ProviderFailure) {
        var plan = Fixture.engine().revocationPlan(accessToken: Secret("at"), refreshToken: Secret("rt"))
        #expect(throws: ProviderFailure.self) { try plan.refused(failure) }
        #expect(plan.next == .refresh)
    }
}
