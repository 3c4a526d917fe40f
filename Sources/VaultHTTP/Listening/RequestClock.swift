import NIOCore
import NIOHTTPTypes

/// Ends a request whose body comes too slowly, or whose answer nobody takes. One for a connection of
/// HTTP/1.1, one for a stream of HTTP/2, where ending it ends that stream alone.
final class RequestClock: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private let connections: Connections
    private var connection: ConnectionGuard?
    private var isReading = false
    /// Requests begun here and not answered yet: HTTP/1.1 may send the next before.
    private var open = 0
    // Most requests have no body, or all of it with their header fields: they need no timer.
    private var body: Scheduled<Void>?
    private var answer: Scheduled<Void>?

    init(_ limits: ListenerLimits, _ connections: Connections) {
        limit = TimeAmount(limits.bodyTime)
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // A stream's parent is its connection, and on its loop; a connection's is the listener.
        for channel in [context.channel, context.channel.parent] {
            guard connection == nil, let channel, channel.eventLoop.inEventLoop else { continue }
            connection = try? channel.pipeline.syncOperations.handler(type: ConnectionGuard.self)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isReading = true
            open += 1
            connection?.requestBegan()
        case .body: break
        case .end:
            isReading = false
            body?.cancel()
            body = nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isReading, body == nil { body = end(context, .body) }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answer?.cancel()
        answer = context.channel.isWritable ? nil : end(context, .answer)
        context.fireChannelWritabilityChanged()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), open > 0 {
            open -= 1
            connection?.requestEnded()
        }
        context.write(data, promise: promise)
    }

    private func end(_ context: ChannelHandlerContext, _ reason: Connections.Slowness) -> Scheduled<Void> {
        let me = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: limit) {
            let (clock, context) = me.value
            clock.connections.ended(reason)
            context.close(promise: nil)
        }
    }

    private func leave() {
        body?.cancel()
        answer?.cancel()
        for _ in 0..<open { connection?.requestEnded() }
        open = 0
    }
}
