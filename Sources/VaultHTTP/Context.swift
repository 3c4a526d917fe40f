import Hummingbird
import Logging
import NIOCore

/// How much of anything we take from a caller.
enum Limits {
    /// A request's body, in bytes.
    static let body = 64 << 10
    /// A callback's query or form, in bytes.
    static let parameters = 16 << 10
    /// All header fields of a request, in bytes.
    static let headers = 32 << 10
    /// How many header fields.
    static let headerFields = 100
}

/// What a request carries along.
struct FacadeContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Who is at the other end of the connection: the client or a proxy.
    var peer: IPAddress? { channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) } }

    /// Whether the connection carries other requests too (HTTP/2): then ``channel`` is a stream of it.
    var isMultiplexed: Bool { channel.parent?.parent != nil }

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    var maxUploadSize: Int { Limits.body }
}
