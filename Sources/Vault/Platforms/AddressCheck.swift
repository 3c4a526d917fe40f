#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
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

        let kinds: [AddressPolicy.Kind]
        do {
            let host = address.host
            kinds = try await NIOThreadPool.singleton.runIfActive { try Self.resolve(host) }
        } catch {
            throw ProviderFailure(failure: .retry, code: "dns-failed")
        }
        for kind in kinds {
            switch kind {
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

    private static func resolve(_ host: String) throws -> [AddressPolicy.Kind] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0, let first = list else { throw Unresolved() }
        defer { freeaddrinfo(first) }
        var found: [AddressPolicy.Kind] = []
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let entry = next {
            let bytes = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            // struct sockaddr_in and sockaddr_in6: the address begins after 4 and after 8 bytes.
            if entry.pointee.ai_family == AF_INET {
                found.append(AddressPolicy.kind(v4: Array(bytes[4..<8])))
            } else if entry.pointee.ai_family == AF_INET6 {
                found.append(AddressPolicy.kind(v6: Array(bytes[8..<24])))
            }
            next = entry.pointee.ai_next
        }
        guard !found.isEmpty else { throw Unresolved() }
        return found
    }
}
