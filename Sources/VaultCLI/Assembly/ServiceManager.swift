import Glibc
import NIOCore
import ServiceLifecycle
import VaultBase

/// Tells systemd what this process is doing: sd_notify(3), without its library. Where there is no systemd to
/// listen, it does nothing.
struct ServiceManager: Service {
    private let socket: String?
    /// systemd restarts what does not call this often; nil when it does not watch.
    private let watchdog: Duration?

    /// - Parameter environment: where systemd says how it is reached; what is for another process does not count.
    init(environment: [String: String]) {
        socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        watchdog = isOurs ? environment["WATCHDOG_USEC"].flatMap(Int64.init).map { .microseconds($0) } : nil
    }

    func ready(_ status: String) { tell("READY=1\nSTATUS=\(status)") }

    /// Between this and ``ready(_:)`` settings are taken in.
    func reloading() {
        // The same clock, CLOCK_MONOTONIC.
        tell("RELOADING=1\nMONOTONIC_USEC=\(NIODeadline.now().uptimeNanoseconds / 1000)")
    }

    /// Calls systemd at half the time it waits, from the same threads that answer requests: when those hang, so
    /// does this.
    func run() async throws {
        await withGracefulShutdownHandler {
            guard let watchdog else { return try? await gracefulShutdown() }
            try? await cancelWhenGracefulShutdown {
                while true {
                    self.tell("WATCHDOG=1")
                    try await Task.sleep(for: watchdog / 2)
                }
            }
        } onGracefulShutdown: {
            tell("STOPPING=1")
        }
    }

    private func tell(_ words: String) {
        // unix(7): the family, then the path, 108 bytes at the most. Written by hand, because beside NIO's own
        // declarations the members of the C struct are not found when the standard library is linked statically.
        guard let socket, socket.utf8.count < 108 else { return }
        let family = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) }
        // An abstract address begins with a zero byte, which an environment cannot hold.
        let path = socket.hasPrefix("@") ? [0] + socket.utf8.dropFirst() : Array(socket.utf8)
        let address = family + path
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(words.utf8)
        address.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            _ = sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), start, socklen_t(bytes.count))
        }
    }
}
