import HTTPTypes
import Hummingbird
import NIOCore
import VaultBase

extension Routes {
    /// `/control` and `/ledger`, for whoever has only HTTP: a shell, a load generator, a test in another language.
    func addControl(to router: Router<SandboxContext>) {
        router.get("/control") { _, _ in Response.json(ControlState(control)) }
        router.get("/ledger") { _, _ in Response.json(control.ledger) }
        router.post("/control") { request, _ async throws -> Response in
            // A page of another origin can post a form, but not JSON.
            guard request.headers[.contentType]?.prefix(while: { $0 != ";" }) == "application/json" else {
                return .json(["error": "the body must be application/json"], status: .unsupportedMediaType)
            }
            let change: ControlChange
            do {
                change = try JSON.decode(ControlChange.self, from: try await request.body.collect(upTo: 65536))
            } catch {
                return .json(["error": ControlChange.help], status: .badRequest)
            }
            change.apply(to: control)
            return .json(ControlState(control))
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

    init(_ control: Sandbox.Control) {
        issuer = control.issuer
        misbehave = control.misbehaviours
        accessTokenSeconds = control.accessTokenLifetime.milliseconds / 1000
        autoApprove = control.autoApprove
    }
}
