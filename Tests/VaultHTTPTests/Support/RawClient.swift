import Dispatch
import Glibc

/// A socket without any protocol: as slow and as rude as a test wants it.
final class RawClient: @unchecked Sendable {
    private let descriptor: Int32

    /// Connects to 127.0.0.1; nil when nobody takes it.
    init?(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // Nothing here may hang: whoever waits this long has waited in vain.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if !connected { return nil }
    }

    deinit { close(descriptor) }

    /// False when the other end is gone.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// All that comes until the other end closes; nil when it does not close.
    func readToEnd() -> String? {
        var all: [UInt8] = []
        while true {
            guard let some = read() else { return nil }
            if some.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += some
        }
    }

    /// What is there next: empty at the end, nil when nothing comes.
    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        // A reset is an end too.
        if count < 0 { return errno == ECONNRESET ? [] : nil }
        return Array(buffer[..<count])
    }

    /// Sends `rest` a byte at a time until the other end closes; false when it took all of it.
    func drip(_ rest: String, every microseconds: UInt32 = 20_000) -> Bool {
        for character in rest {
            if !send(String(character)) { return true }
            usleep(microseconds)
        }
        return readToEnd() != nil
    }

    /// Runs blocking work on a thread of its own: the server needs the pool's.
    static func onOwnThread<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
        }
    }
}
