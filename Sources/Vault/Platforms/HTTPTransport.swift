import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import VaultBase
public import VaultProviders

/// Sends requests to providers over HTTPS.
///
/// - TLS 1.2 or later (RFC 9325 §3.1.1). Certificates and host names are verified; there is no switch to turn that
///   off. Plain http goes only to a
///   loopback address of a platform that says `insecure-loopback`.
/// - Only the platform's hosts are called, and only at public addresses, unless the platform's
///   `allow-private-network` is `true` (an identity provider in one's own network).
/// - Redirects are answers like any other, bodies end at ``sizeLimit``, and nothing is decompressed.
/// - Nothing is logged here: URLs and bodies may hold secrets.
public final class HTTPTransport: Transport, WebhookTransport {
    /// The longest answer, in bytes. A longer one is a failure, not a shorter answer.
    public static let sizeLimit = 256 * 1024
    /// How long a connection may take to come about.
    static let connectTimeout = Duration.seconds(5)

    private let client: HTTPClient
    private let resolver = AddressCheck()

    public convenience init() { self.init(trustRoots: .default) }

    /// - Parameter trustRoots: who may vouch for a provider's certificate.
    init(trustRoots: NIOSSLTrustRoots) {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.trustRoots = trustRoots
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.timeout = .init(connect: .milliseconds(Self.connectTimeout.milliseconds))
        // A connection the provider is about to close is no place for a token that may be sent only once.
        configuration.connectionPool = .init(idleTimeout: .seconds(10))
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit { client.shutdown { _ in } }

    public func send(
        _ request: ProviderRequest, for platform: Platform, timeout: Duration
    ) async throws(ProviderFailure) -> ProviderAnswer {
        do {
            try HostPolicy(platform).check(request.url)
        } catch {
            throw ProviderFailure(failure: .operatorAction, code: "host-refused")
        }
        guard let address = WebAddress(request.url) else {
            throw ProviderFailure(failure: .operatorAction, code: "host-refused")
        }
        try await resolver.check(
            address, insecureLoopback: platform.insecureLoopback,
            allowPrivate: platform.parameters["allow-private-network"] == "true")
        return try await call(request, timeout: timeout)
    }

    private func call(
        _ request: ProviderRequest, timeout: Duration
    ) async throws(ProviderFailure) -> ProviderAnswer {
        let call: HTTPClient.Request
        do {
            var headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
            headers.replaceOrAdd(name: "User-Agent", value: "vault/\(Vault.version)")
            call = try HTTPClient.Request(
                url: request.url, method: HTTPMethod(rawValue: request.method), headers: headers,
                body: request.body.isEmpty ? nil : .bytes(request.body))
        } catch {
            throw ProviderFailure(failure: .operatorAction, code: "host-refused")
        }
        let collector = AnswerCollector(limit: Self.sizeLimit)
        let deadline = NIODeadline.now() + .milliseconds(timeout.milliseconds)
        do {
            return try await client.execute(request: call, delegate: collector, deadline: deadline).get()
        } catch {
            throw Self.classify(error, sent: collector.wasSent, status: collector.status)
        }
    }

    /// An event for a receiver: the webhook itself says where it may stand.
    public func post(
        _ request: ProviderRequest, to webhook: Webhook, timeout: Duration
    ) async throws(ProviderFailure) -> ProviderAnswer {
        guard request.url == webhook.url, let address = WebAddress(request.url) else {
            throw ProviderFailure(failure: .operatorAction, code: "host-refused")
        }
        try await resolver.check(
            address, insecureLoopback: address.isLoopbackLiteral, allowPrivate: webhook.allowsPrivateNetwork)
        return try await call(request, timeout: timeout)
    }

    static func classify(_ error: any Error, sent: Bool, status: Int?) -> ProviderFailure {
        if error is AnswerTooLong { return ProviderFailure(failure: .retry, code: "answer-too-long", status: status) }
        let client = error as? HTTPClientError
        let code: String
        switch (sent, client) {
        case (true, .some(.deadlineExceeded)), (true, .some(.readTimeout)): code = "timeout"
        case (true, .some(.remoteConnectionClosed)): code = "connection-closed"
        case (true, _): code = "connection-lost"
        case (false, .some(.tlsHandshakeTimeout)): code = "tls-failed"
        case (false, .some(.connectTimeout)), (false, .some(.deadlineExceeded)): code = "connect-timeout"
        default:
            if let connection = error as? NIOConnectionError {
                code = connection.connectionErrors.isEmpty ? "dns-failed" : "connect-failed"
            } else {
                // The TLS library's errors are of several types, all named so.
                code = String(describing: type(of: error)).contains("SSL") ? "tls-failed" : "connect-failed"
            }
        }
        return ProviderFailure(failure: .retry, code: code)
    }
}

private struct AnswerTooLong: Error {}

/// Collects one answer up to a limit, and remembers whether the request left us.
private final class AnswerCollector: HTTPClientResponseDelegate {
    private struct State {
        var sent = false
        var answer = ProviderAnswer(status: 0, headers: [], body: [])
    }
    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var wasSent: Bool { state.withLock { $0.sent } }
    /// nil before the head of the answer is there.
    var status: Int? { state.withLock { $0.answer.status == 0 ? nil : $0.answer.status } }

    func didSendRequestHead(task: HTTPClient.Task<ProviderAnswer>, _ head: HTTPRequestHead) {
        state.withLock { $0.sent = true }
    }

    func didReceiveHead(task: HTTPClient.Task<ProviderAnswer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock {
            $0.answer.status = Int(head.status.code)
            $0.answer.headers = head.headers.map { (name: $0.name, value: $0.value) }
        }
        let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        return announced <= limit
            ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(AnswerTooLong())
    }

    func didReceiveBodyPart(task: HTTPClient.Task<ProviderAnswer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let fits = state.withLock { state in
            guard state.answer.body.count + buffer.readableBytes <= limit else { return false }
            state.answer.body += buffer.readableBytesView
            return true
        }
        return fits ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(AnswerTooLong())
    }

    func didFinishRequest(task: HTTPClient.Task<ProviderAnswer>) throws -> ProviderAnswer {
        state.withLock { $0.answer }
    }
}
