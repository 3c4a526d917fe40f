import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that answers every request with the same bytes, whatever they are.
final class RawServer: Sendable {
    enum Reply: Sendable {
        case bytes(String)
        /// Hangs up without a word.
        case hangUp
        /// Says nothing, for ever.
        case silence
    }

    private struct Seen {
        var requests: [String] = []
        var bytes: [UInt8] = []
        var connections = 0
    }
    private let seen: Mutex<Seen>
    private let channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }
    /// What came, head and body as text.
    var requests: [String] { seen.withLock { $0.requests } }

    /// Everything that came, of all connections.
    var bytes: [UInt8] { seen.withLock { $0.bytes } }

    static func start(_ reply: Reply) async throws -> RawServer {
        let box = Box()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(reply: reply, box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = RawServer(channel)
        box.server.withLock { $0 = server }
        return server
    }

    private init(_ channel: any Channel) {
        self.channel = channel
        seen = Mutex(Seen())
    }

    func stop() async { try? await channel.close() }

    private final class Box: Sendable {
        let server = Mutex<RawServer?>(nil)
        func note(_ request: String) {
            server.withLock { $0 }?.seen.withLock { $0.requests.append(request) }
        }
        func note(_ bytes: ByteBufferView) {
            server.withLock { $0 }?.seen.withLock { $0.bytes += bytes }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let reply: Reply
        private let box: Box
        private var text = ""

        init(reply: Reply, _ box: Box) {
            self.reply = reply
            self.box = box
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            box.note(buffer.readableBytesView)
            text += String(buffer: buffer)
            // Head and body may come in pieces; what is no request at all is answered at once.
            guard !text.hasPrefix("POST") || text.hasSuffix("refresh_token=secret") else { return }
            box.note(text)
            text = ""
            switch reply {
            case .bytes(let bytes):
                // Closed once all of it is out: a long answer is not written in one go.
                let channel = context.channel
                channel.writeAndFlush(ByteBuffer(string: bytes)).whenComplete { _ in channel.close(promise: nil) }
            case .hangUp: context.close(promise: nil)
            case .silence: break
            }
        }
    }
}
