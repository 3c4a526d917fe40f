/// How much room and time a listener gives to those who connect.
///
/// A client that is slow on purpose costs a connection for these times and no longer; memory is bounded by
/// the number of connections.
public struct ListenerLimits: Sendable {
    /// Connections at the same time.
    public var connections = 4096
    /// Of one client address (an IPv6 customer's /64). Trusted proxies are not counted, nor, without TLS, this
    /// machine's own addresses.
    public var connectionsPerAddress = 256
    /// From a connection's beginning to the end of its TLS handshake, and from a request's first byte to the
    /// end of its header fields.
    public var headTime = Duration.seconds(10)
    /// From there to the end of the body; also how long a client may take nothing of an answer.
    public var bodyTime = Duration.seconds(30)
    /// How long a connection may do nothing between two requests.
    public var idleTime = Duration.seconds(60)
    /// The same when most connections are taken: who is not using one gives it to somebody else.
    var crowdedIdleTime = Duration.seconds(5)

    public init() {}

    /// How often a connection's times are looked at: so much longer than its limit it may live.
    var tick: Duration { max(.milliseconds(20), min(headTime, bodyTime, idleTime, crowdedIdleTime) / 2) }
}
