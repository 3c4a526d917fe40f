import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOCore
import Synchronization

/// The access log and the request metrics.
///
/// A line holds the method, the route's template, the status and the duration; never a URI, a query, a
/// header or a body, because codes, states and tokens travel in them.
struct Observation {
    let metrics: RequestMetrics
    let logger: Logger

    /// A request has come.
    func begin() -> NIODeadline {
        metrics.active.increment()
        return .now()
    }

    /// Its answer goes.
    func end() { metrics.active.decrement() }

    /// Counts an answer and writes its line.
    ///
    /// - Parameters:
    ///   - route: the endpoint's path; nil where there is none.
    ///   - id: the request's.
    func note(
        _ status: HTTPResponse.Status, to method: HTTPRequest.Method, at route: String?, since start: NIODeadline,
        id: String
    ) {
        let nanoseconds = (NIODeadline.now() - start).nanoseconds
        let route = route ?? "none"
        // A method that is nobody's would be a label anybody could choose.
        let method = RequestMetrics.methods.contains(method) ? method.rawValue : "other"
        metrics.record(method, route, status.code, nanoseconds)
        logger.info(
            "request",
            metadata: [
                "hb.request.id": .string(id), "method": .string(method), "route": .string(route),
                "status": .stringConvertible(status.code),
                "microseconds": .stringConvertible(nanoseconds / 1000),
            ])
    }
}

/// `vault_http_requests_total`, `vault_http_request_duration_seconds` and `vault_http_active_requests`.
final class RequestMetrics: Sendable {
    static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

    private struct Key: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    let active: Meter
    private let factory: any MetricsFactory
    // Making a metric costs a look-up by all its labels; routes and statuses are few.
    private let made = Mutex<[Key: (Counter, Timer)]>([:])

    init(factory: any MetricsFactory) {
        self.factory = factory
        active = Meter(label: "vault_http_active_requests", factory: factory)
    }

    func record(_ method: String, _ route: String, _ status: Int, _ nanoseconds: Int64) {
        let (counter, timer) = made.withLock { made in
            let key = Key(method: method, route: route, status: status)
            if let there = made[key] { return there }
            let dimensions = [("method", method), ("route", route)]
            let metrics = (
                Counter(
                    label: "vault_http_requests", dimensions: dimensions + [("status", String(status))],
                    factory: factory),
                Timer(label: "vault_http_request_duration", dimensions: dimensions, factory: factory)
            )
            made[key] = metrics
            return metrics
        }
        counter.increment()
        timer.recordNanoseconds(nanoseconds)
    }
}
