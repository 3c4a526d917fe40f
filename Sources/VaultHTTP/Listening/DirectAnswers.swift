import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers on the event loop what ``TokensAtHand`` answers; hands on everything else.
///
/// Answers keep the order of their requests: while one that was handed on waits for its answer, all are handed on. So
/// they are while the client takes nothing, because whoever waits for the client is behind us.
final class DirectAnswers: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let tokens: TokensAtHand
    /// A request that may be answered here, until its end comes.
    private var head: HTTPRequest?
    /// Requests handed on whose answers have not come by.
    private var waiting = 0
    private var hasWritten = false

    init(_ tokens: TokensAtHand) { self.tokens = tokens }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head(let request) = part {
            if waiting == 0, context.channel.isWritable, tokens.isWorthAsking(request) {
                head = request
                return
            }
            waiting += 1
        } else if let request = head.take() {
            if case .end = part, let (head, body) = tokens.answer(request) {
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(body)), promise: nil)
                context.write(wrapOutboundOut(.end(nil)), promise: nil)
                hasWritten = true
                return
            }
            waiting += 1
            context.fireChannelRead(wrapInboundOut(.head(request)))
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Sent after all that can be read on this loop was read: a client or proxy on the same machine then wakes once
        // for many answers, which costs less than the answers do.
        if hasWritten { context.eventLoop.assumeIsolated().execute { context.flush() } }
        hasWritten = false
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { waiting -= 1 }
        context.write(data, promise: promise)
    }
}
