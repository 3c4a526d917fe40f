import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Vault
import VaultBase

/// Lets commands of the same user work on the vault this server has open.
struct AdminSocketServer: Service {
    let store: String
    let administration: any Administration
    let logger: Logger

    typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    func run() async throws {
        let listener = try await listen()
        let running = Clients()
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                try await listener.executeThenClose { clients in
                    for try await client in clients {
                        group.addTask { await serve(client, running) }
                    }
                }
            }
        } onGracefulShutdown: {
            listener.channel.close(promise: nil)
        }
        unlink(AdminSocket.path(store: store))
    }

    private func listen() async throws -> NIOAsyncChannel<Client, Never> {
        // The store's lock says that no other server lives: what is left here is of one that died.
        unlink(AdminSocket.path(store: store))
        do {
            let listener = try await AdminSocket.withShortPath(store: store) { path in
                try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .serverChannelOption(.backlog, value: Int32(AdminSocket.clientLimit))
                    .bind(unixDomainSocketPath: path) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            let lines = ByteToMessageHandler(
                                LineDecoder(), maximumBufferSize: AdminSocket.frameLimit + 1)
                            try channel.pipeline.syncOperations.addHandler(lines)
                            return try Client(wrappingChannelSynchronously: channel)
                        }
                    }
            }
            // The process' umask makes it 0600 already; this holds it there whoever changes that.
            chmod(AdminSocket.path(store: store), 0o600)
            return listener
        } catch {
            throw VaultError(
                .file, "the socket for commands cannot be made in \(store)", hint: "look at the directory's owner",
                cause: error)
        }
    }

    /// Answers one client, who has a while to say what it wants and none at all once the server stops.
    private func serve(_ client: Client, _ clients: Clients) async {
        let waiting = Waiting()
        let channel = client.channel
        let limit = channel.eventLoop.scheduleTask(in: AdminSocket.patience) {
            if waiting.isWaiting { channel.close(promise: nil) }
        }
        defer { limit.cancel() }
        await withGracefulShutdownHandler {
            do {
                try await client.executeThenClose { lines, replies in
                    guard try await isOurs(channel) else {
                        logger.warning("another user was refused at the socket for commands")
                        return
                    }
                    var calls = lines.makeAsyncIterator()
                    guard let line = try await calls.next() else { return }
                    waiting.end()
                    try await answer(line, replies, clients)
                    // Closing throws away what is not written yet; what the kernel has, the client can read.
                    try await channel.writeAndFlush(ByteBuffer())
                }
            } catch {
                logger.debug("a command went away", metadata: ["error": "\(type(of: error))"])
            }
        } onGracefulShutdown: {
            if waiting.isWaiting { channel.close(promise: nil) }
        }
    }

    private func answer(
        _ line: ByteBuffer, _ replies: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ clients: Clients
    ) async throws {
        do {
            guard clients.come() else {
                throw VaultError(.unavailable, "too many commands run at once", hint: "try again when others are done")
            }
            defer { clients.go() }
            let command = try Self.command(line)
            logger.info("command", metadata: ["command": "\(command.name)"])
            try await administration.perform(command) { event in
                try await replies.write(AdminSocket.frame(AdminSocket.Reply.event(event)))
            }
            try await replies.write(AdminSocket.frame(AdminSocket.Reply.done))
        } catch {
            try await replies.write(AdminSocket.frame(AdminSocket.Reply.failed(.init(error))))
        }
    }

    /// Whether a client has not said yet what it wants.
    private final class Waiting: Sendable {
        private let state = Atomic(true)
        var isWaiting: Bool { state.load(ordering: .acquiring) }
        func end() { state.store(false, ordering: .releasing) }
    }

    /// How many commands run.
    private final class Clients: Sendable {
        private let count = Mutex(0)

        func come() -> Bool {
            count.withLock { count in
                guard count < AdminSocket.clientLimit else { return false }
                count += 1
                return true
            }
        }

        func go() { count.withLock { $0 -= 1 } }
    }

    private static func command(_ line: ByteBuffer) throws -> AdministrativeCommand {
        struct Version: Decodable { var version: Int }
        let version = try? AdminSocket.read(Version.self, from: line).version
        guard version == AdminSocket.version else {
            throw VaultError(
                .conflict, "the server speaks version \(AdminSocket.version) and the command \(version ?? 0)",
                hint: "restart the server with the program that is installed now")
        }
        do {
            return try AdminSocket.read(AdminSocket.Call.self, from: line).command
        } catch {
            throw VaultError(.badRequest, "the server does not know this command", hint: "restart the server")
        }
    }

    /// Whether the other end belongs to this server's user, or to root, who could read its memory anyway.
    ///
    /// Throws where that cannot be asked: the client is gone, as one is that only looked whether a server answers.
    private func isOurs(_ channel: any Channel) async throws -> Bool {
        guard let sockets = channel as? any SocketOptionProvider else { return false }
        let peer: PeerCredentials = try await sockets.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED)
        ).get()
        return peer.uid == geteuid() || peer.uid == 0
    }
}

/// `struct ucred` of socket(7).
private struct PeerCredentials: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
}

extension AdministrativeCommand {
    /// For the log: what was asked, without whose.
    var name: String { String("\(self)".prefix { $0.isLetter }) }
}
