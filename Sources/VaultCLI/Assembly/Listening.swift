import Glibc
import NIOCore
import ServiceLifecycle
import Synchronization
import Vault
import VaultBase

extension Settings {
    /// Replaces a value, as the command line would.
    mutating func override<Value>(
        _ setting: KeyPath<SettingTable, Setting<Value>>, with raw: RawValue, _ option: String
    ) {
        entries[SettingTable.shared[keyPath: setting].path] = SettingEntry(raw: raw, origin: .option(option))
    }

    /// Turns port 0 into a free port now: redirect URIs and the sandbox' address must be known before anything listens.
    ///
    /// - Throws: `unavailable` when there is none.
    mutating func chooseFreePorts(sandbox: Bool) throws(VaultError) {
        if self[\.listen].port == 0 {
            var address = self[\.listen]
            address.port = try FreePort.find()
            override(\.listen, with: .text(address.description), "--listen")
        }
        if sandbox, self[\.sandboxPort] == 0 {
            override(\.sandboxPort, with: .text("\(try FreePort.find())"), "--sandbox-port")
        }
    }

    /// The frontend's origin and those of the settings.
    var allowedOrigins: [String] {
        var origins = self[\.origins]
        if let frontend = WebAddress(frontendURL) { origins.append(frontend.origin) }
        return origins
    }
}

/// Asks the system for a port of 127.0.0.1 that nobody has, and keeps it for this process.
///
/// Its socket stays bound, without listening, as long as the process lives: until our listener comes, the system gives the
/// port to nobody else. The listener may bind it too, since both say that addresses may be used again (socket(7),
/// `SO_REUSEADDR`).
enum FreePort {
    static func find() throws(VaultError) -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw VaultError(.unavailable, "no socket: \(systemWords(errno))") }
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0
            }
        }
        guard done else {
            let error = VaultError(.unavailable, "no free port: \(systemWords(errno))")
            close(socket)
            throw error
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// Tells why a listener did not start.
enum ListenerFault {
    /// nil when it is no fault of listening.
    static func isAddressInUse(_ error: any Error) -> Bool? {
        (error as? IOError).map { $0.errnoCode == EADDRINUSE }
    }
}

/// Stops the server when the disk has failed under the store: what was written last is not known until it
/// is opened again.
final class StoreFailures: Service {
    private let faults: AsyncStream<VaultError>
    private let feed: AsyncStream<VaultError>.Continuation

    init() { (faults, feed) = AsyncStream.makeStream(of: VaultError.self, bufferingPolicy: .bufferingOldest(1)) }

    func report(_ fault: VaultError) { feed.yield(fault) }

    func run() async throws {
        for await fault in faults.cancelOnGracefulShutdown() { throw fault }
    }
}
