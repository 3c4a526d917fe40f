#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import NIOCore
import NIOPosix
import Synchronization
import VaultBase
import VaultProviders

/// Resolves a host and refuses it when any of its addresses is one a provider may not have.
///
/// An answer counts for a minute. The connection resolves again, so a name could change in between: what
/// that leaves open, TLS closes, since the other end must still prove the host's name.
final class AddressCheck: Sendable {
    private static let lifetime = Duration.seconds(60)
    private static let capacity = 256
    private let allowed = Mutex<[String: ContinuousClock.Instant]>([:])

    func check(_ address: WebAddress, insecureLoopback: Bool, allowPrivate: Bool) async throws(ProviderFailure) {
        let key = "\(address.host) \(insecureLoopback) \(allowPrivate)"
        let now = ContinuousClock.now
        if allowed.withLock({ $0[key].map { now < $0 } ?? false }) { return }

        let addresses: [SocketAddress]
        do {
            let host = address.host
            addresses = try await NIOThreadPool.singleton.runIfActive { try Self.resolve(host) }
        } catch {
            throw ProviderFailure(failure: .retry, code: "dns-failed")
        }
        for found in addresses {
            switch AddressPolicy.kind(found) {
            case .public: continue
            // Plain http has been limited to loopback literals before; https to this machine is a proxy or a trial.
            case .loopback where insecureLoopback || allowPrivate: continue
            case .private where allowPrivate: continue
            default: throw ProviderFailure(failure: .operatorAction, code: "address-refused")
            }
        }
        allowed.withLock { allowed in
            if allowed.count >= Self.capacity { allowed.removeAll() }
            allowed[key] = now + Self.lifetime
        }
    }

    private struct Unresolved: Error {}

    private static func resolve(_ host: String) throws -> [SocketAddress] {
        if let literal = try? SocketAddress(ipAddress: host, port: 0) { return [literal] }
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0, let first = list else { throw Unresolved() }
        defer { freeaddrinfo(first) }
        var found: [SocketAddress] = []
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let entry = next {
            if entry.pointee.ai_family == AF_INET {
                entry.pointee.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    found.append(SocketAddress($0.pointee))
                }
            } else if entry.pointee.ai_family == AF_INET6 {
                entry.pointee.ai_addr.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    found.append(SocketAddress($0.pointee))
                }
            }
            next = entry.pointee.ai_next
        }
        guard !found.isEmpty else { throw Unresolved() }
        return found
    }
}
