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
    private let direct: TokensAtHand?
    private let one: HTTP1Channel
    private let two: HTTP2Channel

    init(
        identity: TLSIdentity?, limits: ListenerLimits, connections: Connections, direct: TokensAtHand?,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.identity = identity
        self.limits = limits
        self.connections = connections
        self.direct = direct
        // The idle time here ends a stream whose client takes nothing of a small answer, which fits into what may
        // wait to be sent; the rest is for the guard and the clock.
        let connection = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestClock(limits, connections)],
            idleTimeout: TimeAmount(limits.idleTime),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Limits.headers, maxHeaderListSize: Limits.headers,
                maxHeaderFieldCount: Limits.headerFields))
        one = HTTP1Channel(responder: responder, configuration: connection)
        var stream = connection
        stream.additionalChannelHandlers = {
            [RequestClock(limits, connections)] + (direct.map { [DirectAnswers($0)] } ?? [])
        }
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
                let agreed = setupOne(channel, logger)
                return channel.eventLoop.makeSucceededFuture(Value(channel: channel, agreed: agreed))
            }
            try pipeline.addHandler(NIOSSLServerHandler(context: identity.context))
            try pipeline.addHandler(ConnectionGuard(limits, connections, handshake: true))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Agreed> { result, channel in
                if case .negotiated("h2") = result {
                    return two.setup(channel: channel, logger: logger).map(Agreed.two)
                }
                return setupOne(channel, logger)
            }
            try pipeline.addHandler(negotiation)
            return channel.eventLoop.makeSucceededFuture(
                Value(channel: channel, agreed: negotiation.protocolNegotiationResult))
        } catch {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// HTTP/1.1. Direct answers stand behind the handler that knows whether the connection is in use: it must see them.
    /// A stream of HTTP/2 is in use as long as there is one.
    private func setupOne(_ channel: any Channel, _ logger: Logger) -> EventLoopFuture<Agreed> {
        one.setup(channel: channel, logger: logger).flatMapThrowing { value in
            if let direct {
                let pipeline = channel.pipeline.syncOperations
                let state = try pipeline.handler(type: HTTPConnectionStateHandler.self)
                try pipeline.addHandler(DirectAnswers(direct), position: .after(state))
            }
            return .one(value)
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
