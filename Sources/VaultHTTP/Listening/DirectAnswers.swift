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
    /// An answer was written but for its end, which goes when it is sent: until then the connection counts as in use, and
    /// a server that is stopping does not close it.
    private var owesEnd = false

    init(_ tokens: TokensAtHand) { self.tokens = tokens }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head(let request) = part {
            writeEnd(context)
            if waiting == 0, context.channel.isWritable, tokens.isWorthAsking(request) {
                head = request
                return
            }
            waiting += 1
        } else if let request = head.take() {
            if case .end = part, let (head, body) = tokens.answer(request) {
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(body)), promise: nil)
                owesEnd = true
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
        if owesEnd {
            context.eventLoop.assumeIsolated().execute { [self] in
                writeEnd(context)
                context.flush()
            }
        }
        context.fireChannelReadComplete()
    }

    private func writeEnd(_ context: ChannelHandlerContext) {
        guard owesEnd else { return }
        owesEnd = false
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { waiting -= 1 }
        context.write(data, promise: promise)
    }
}
