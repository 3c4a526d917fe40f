import Glibc
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
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        tell("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
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
        guard let socket else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(socket.utf8)
        // An abstract address begins with a zero byte, which an environment cannot hold.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(words.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, size)
            }
        }
    }
}
