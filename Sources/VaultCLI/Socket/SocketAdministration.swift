import NIOCore
import NIOPosix
import Vault
import VaultBase

/// Performs commands through a running server's socket.
struct SocketAdministration: Administration {
    let store: String

    /// Whether a server answers there.
    static func answers(store: String) async -> Bool {
        guard FilePath.exists(AdminSocket.path(store: store)) else { return false }
        guard let channel = try? await connect(store) else { return false }
        try? await channel.executeThenClose { _, _ in }
        return true
    }

    func perform(
        _ command: AdministrativeCommand, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await Self.connect(store)
        } catch {
            throw VaultError(
                .unavailable, "the server at \(AdminSocket.path(store: store)) does not answer",
                hint: "look at its log; a command works without a server too", cause: error)
        }
        try await channel.executeThenClose { replies, calls in
            try await calls.write(AdminSocket.frame(AdminSocket.Call(version: AdminSocket.version, command: command)))
            for try await line in replies {
                switch try AdminSocket.read(AdminSocket.Reply.self, from: line) {
                case .event(let said): try await event(said)
                case .done: return
                case .failed(let failure): throw failure.error
                }
            }
            throw VaultError(
                .unavailable, "the server went away before the command was done",
                hint: "whether it happened is not known: look with vault status")
        }
    }

    private static func connect(_ store: String) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await AdminSocket.withShortPath(store: store) { path in
            try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let lines = ByteToMessageHandler(LineDecoder(), maximumBufferSize: AdminSocket.frameLimit + 1)
                        try channel.pipeline.syncOperations.addHandler(lines)
                        return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
        }
    }
}
