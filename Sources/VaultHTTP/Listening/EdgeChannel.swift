import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import VaultBase

/// One connection: let in or refused, TLS where there is a certificate, then HTTP/2 or HTTP/1.1 as the two
/// ends agree (ALPN, RFC 7301).
struct EdgeChannel: ServerChildChannel {
    enum Agreed: Sendable {
        case one(HTTP1Channel.Value)
        case two(HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let agreed: EventLoopFuture<Agreed>
    }

    private struct Refused: Error {}

    private let identity: TLSIdentity?
    private let limits: ListenerLimits
    private let connections: Connections
    private let one: HTTP1Channel
    private let two: HTTP2Channel

    init(
        identity: TLSIdentity?, limits: ListenerLimits, connections: Connections,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.identity = identity
        self.limits = limits
        self.connections = connections
        // The idle time here ends a stream whose client takes nothing of a small answer, which fits into what may
        // wait to be sent; the rest is for the guard and the clock.
        let stream = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestClock(limits, connections)],
            idleTimeout: TimeAmount(limits.idleTime),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Limits.headers, maxHeaderListSize: Limits.headers,
                maxHeaderFieldCount: Limits.headerFields))
        one = HTTP1Channel(responder: responder, configuration: stream)
        two = HTTP2Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: limits.idleTime, gracefulCloseTimeout: limits.headTime, streamConfiguration: stream))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let address = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
        if let refusal = connections.enter(address) {
            logger.debug("connection refused", metadata: ["reason": "\(refusal)"])
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(Refused())
        }
        channel.closeFuture.whenComplete { [connections] _ in connections.leave(address) }
        let pipeline = channel.pipeline.syncOperations
        do {
            guard let identity else {
                try pipeline.addHandler(ConnectionGuard(limits, connections, handshake: false))
                let agreed = one.setup(channel: channel, logger: logger).map(Agreed.one)
                return channel.eventLoop.makeSucceededFuture(Value(channel: channel, agreed: agreed))
            }
            try pipeline.addHandler(NIOSSLServerHandler(context: identity.context))
            try pipeline.addHandler(ConnectionGuard(limits, connections, handshake: true))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Agreed> { result, channel in
                if case .negotiated("h2") = result {
                    return two.setup(channel: channel, logger: logger).map(Agreed.two)
                }
                return one.setup(channel: channel, logger: logger).map(Agreed.one)
            }
            try pipeline.addHandler(negotiation)
            return channel.eventLoop.makeSucceededFuture(
                Value(channel: channel, agreed: negotiation.protocolNegotiationResult))
        } catch {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.agreed.get() {
            case .one(let channel): await one.handle(value: channel, logger: logger)
            case .two(let channel): await two.handle(value: channel, logger: logger)
            }
        } catch {
            // Gone before the handshake ended: nobody is there to be told.
            logger.trace("no TLS handshake", metadata: ["cause": "\(error)"])
        }
    }
}
