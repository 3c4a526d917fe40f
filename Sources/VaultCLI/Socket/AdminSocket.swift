import FoundationEssentials
import Glibc
import NIOCore
import Vault
import VaultBase

// What travels over `admin.sock`: lines of JSON. The client sends one `Call`; the server answers with one
// `Reply` for each event and a last one that says how it ended, then closes.

/// Where the socket is, and the limits of what travels over it.
enum AdminSocket {
    /// The socket's name in the store's directory.
    static let name = "admin.sock"
    /// The version of the two sides; a command of another version is refused with both named.
    static let version = 1
    /// The longest line, in bytes: 256 connections of two long tokens each.
    static let frameLimit = 8 << 20
    /// How many clients may be connected at once; one more is told to come back.
    static let clientLimit = 32
    /// How long a client may take to say what it wants.
    static let patience = TimeAmount.seconds(10)

    static func path(store: String) -> String { store + "/" + name }

    /// Lends a path of the socket that fits the 108 bytes a socket address has, however deep the store lies.
    static func withShortPath<R>(store: String, _ body: (String) async throws -> R) async throws -> R {
        let whole = path(store: store)
        guard whole.utf8.count > 100 else { return try await body(whole) }
        let directory = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw VaultError(.file, "\(store): \(systemWords(errno))") }
        defer { close(directory) }
        return try await body("/proc/self/fd/\(directory)/\(name)")
    }

    struct Call: Codable, Sendable {
        var version: Int
        var command: AdministrativeCommand
    }

    enum Reply: Codable, Sendable {
        case event(AdministrativeEvent)
        case done
        case failed(Failure)
    }

    /// A ``VaultError`` on its way.
    struct Failure: Codable, Sendable {
        var code: String
        var message: String
        var hint: String?
        var retryAfterMilliseconds: Int64?

        init(_ error: any Error) {
            let error = error as? VaultError ?? VaultError(.internal, "the server failed: \(type(of: error))")
            code = error.code.name
            message = error.message
            hint = error.hint
            retryAfterMilliseconds = error.retryAfter?.milliseconds
        }

        var error: VaultError {
            VaultError(
                VaultError.Code(code), message, hint: hint,
                retryAfter: retryAfterMilliseconds.map { .milliseconds($0) })
        }
    }

    static func frame(_ value: some Encodable) throws -> ByteBuffer {
        var buffer = ByteBuffer(bytes: try JSONEncoder().encode(value))
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }

    static func read<T: Decodable>(_ type: T.Type, from frame: ByteBuffer) throws -> T {
        try JSONDecoder().decode(type, from: Data(frame.readableBytesView))
    }
}

/// Cuts the stream into lines.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    /// How much of the buffer holds no line end, so that a long line is not looked through again and again.
    private var searched = 0

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let bytes = buffer.readableBytesView
        guard let end = bytes.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            guard bytes.count <= AdminSocket.frameLimit else {
                throw VaultError(.badRequest, "a line is longer than \(AdminSocket.frameLimit) bytes")
            }
            return .needMoreData
        }
        searched = 0
        guard let line = buffer.readSlice(length: end - buffer.readerIndex) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 1)
        context.fireChannelRead(wrapInboundOut(line))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState { .needMoreData }
}
