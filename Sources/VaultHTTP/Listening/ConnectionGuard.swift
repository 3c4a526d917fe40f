import NIOCore
import NIOTLS

/// Ends a connection whose client takes too long: over the TLS handshake, over a request's header fields,
/// or doing nothing (CWE-400; the attacks known as slowloris).
///
/// It stands behind TLS and before HTTP, so it sees bytes; ``RequestClock`` tells it what they were. It keeps
/// moments and looks at them now and then, so a request costs it two looks at the clock and no timer.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum Phase { case handshake, idle, head, busy }

    private let limits: ListenerLimits
    private let connections: Connections
    private var phase: Phase
    private var since = NIODeadline.now()
    /// Requests whose header fields came and whose answer has not left.
    private var requests = 0
    /// HTTP/2 sends frames of its own between requests, so bytes alone begin no request there.
    private var isMultiplexed = false
    private var timer: RepeatedTask?

    init(_ limits: ListenerLimits, _ connections: Connections, handshake: Bool) {
        self.limits = limits
        self.connections = connections
        phase = handshake ? .handshake : .idle
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let tick = TimeAmount(limits.tick)
        let me = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in
            me.value.0.look(me.value.1)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let version)? = event as? TLSUserEvent {
            isMultiplexed = version == "h2"
            enter(.idle)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if phase == .idle, !isMultiplexed { enter(.head) }
        context.fireChannelRead(data)
    }

    /// A request's header fields are all there.
    func requestBegan() {
        requests += 1
        phase = .busy
    }

    /// Its answer has left, or nobody wants it any more.
    func requestEnded() {
        requests -= 1
        if requests == 0 { enter(.idle) }
    }

    private func enter(_ phase: Phase) {
        self.phase = phase
        since = .now()
    }

    private var idleTime: Duration {
        if connections.isCrowded { return min(limits.idleTime, limits.crowdedIdleTime) }
        // HTTP/2 says goodbye by itself and waits for an answer; who gives none is cut off.
        return isMultiplexed ? limits.idleTime + limits.headTime : limits.idleTime
    }

    private func look(_ context: ChannelHandlerContext) {
        let waited = NIODeadline.now() - since
        switch phase {
        case .busy: return
        case .handshake where waited >= TimeAmount(limits.headTime): connections.ended(.handshake)
        case .head where waited >= TimeAmount(limits.headTime): connections.ended(.head)
        case .idle where waited >= TimeAmount(idleTime): break
        case .handshake, .head, .idle: return
        }
        context.close(promise: nil)
    }
}
