import HTTPTypes
import Hummingbird
import NIOCore
import VaultBase

extension Routes {
    /// `/control`, `/grants` and `/ledger`, for whoever has only HTTP: a shell, a load generator, a test in another
    /// language.
    func addControl(to router: Router<SandboxContext>) {
        router.get("/control") { _, _ in Response.json(ControlState(control)) }
        router.get("/ledger") { _, _ in Response.json(control.ledger) }
        router.post("/control") { request, _ in
            try await Self.read(ControlChange.self, of: request, upTo: 65_536, ControlChange.help) { change in
                change.apply(to: control)
                return .json(ControlState(control))
            }
        }
        router.post("/grants") { request, _ in
            try await Self.read(GrantOrder.self, of: request, upTo: 1 << 20, GrantOrder.help) { order in
                .json(order.fill(control))
            }
        }
    }

    private static func read<T: Decodable>(
        _ type: T.Type, of request: Request, upTo limit: Int, _ help: String, _ answer: (T) -> Response
    ) async throws -> Response {
        // A page of another origin can post a form, but not JSON.
        guard request.headers[.contentType]?.prefix(while: { $0 != ";" }) == "application/json" else {
            return .json(["error": "the body must be application/json"], status: .unsupportedMediaType)
        }
        let body: T
        do {
            body = try JSON.decode(type, from: try await request.body.collect(upTo: limit))
        } catch {
            return .json(["error": help], status: .badRequest)
        }
        return answer(body)
    }
}

/// What `POST /grants` takes: the users who consent, without a page, to a client.
private struct GrantOrder: Decodable {
    var users: [String]
    var client: String?
    var scopes: [String]?

    static let help = #"expected {"users":["ada",…],"client":"sandbox","scopes":["profile","music"]}"#

    struct Grant: Encodable {
        var user: String, subject: String, accessToken: String, refreshToken: String
    }

    func fill(_ control: Sandbox.Control) -> [Grant] {
        users.compactMap { Person(typed: $0) }.map { person in
            let (accessToken, refreshToken) = control.grant(
                to: person.user, client: client ?? "sandbox", scopes: scopes ?? ["profile", "music"])
            return Grant(
                user: person.user, subject: person.subject, accessToken: accessToken, refreshToken: refreshToken)
        }
    }
}

/// What `POST /control` takes; each member does what it says, `reset` first.
private struct ControlChange: Decodable {
    var reset: Bool?
    var misbehave: [Sandbox.Misbehaviour]?
    var accessTokenSeconds: Int64?
    /// An empty name shows the pages again.
    var autoApprove: String?
    var revokeGrant: String?
    /// Registers a client, or replaces the one of that id.
    var client: Sandbox.Client?

    static let help = """
        expected {"reset":true,"misbehave":[{"fault":…,"at":…,"user":…,"scope":…,"times":…}],"accessTokenSeconds":…,\
        "autoApprove":…,"revokeGrant":…,"client":{"id":…,"secret":…,"name":…,"redirectURIs":[…],"publicKey":…,"keyID":…}}; faults: \(Sandbox.Misbehaviour.Fault.allCases.map(\.rawValue).joined(separator: ", ")); \
        places: \(Sandbox.Misbehaviour.Place.allCases.map(\.rawValue).joined(separator: ", "))
        """

    func apply(to control: Sandbox.Control) {
        if reset == true { control.reset() }
        for one in misbehave ?? [] { control.misbehave(one) }
        if let accessTokenSeconds { control.accessTokenLifetime = .seconds(accessTokenSeconds) }
        if let autoApprove { control.autoApprove = autoApprove.isEmpty ? nil : autoApprove }
        if let client { control.register(client) }
        if let revokeGrant { control.revoke(grant: revokeGrant) }
    }
}

private struct ControlState: Encodable {
    var issuer: String
    var misbehave: [Sandbox.Misbehaviour]
    var accessTokenSeconds: Int64
    var autoApprove: String?
    var redeeming: Int

    init(_ control: Sandbox.Control) {
        issuer = control.issuer
        misbehave = control.misbehaviours
        accessTokenSeconds = control.accessTokenLifetime.milliseconds / 1000
        autoApprove = control.autoApprove
        redeeming = control.redeeming
    }
}
