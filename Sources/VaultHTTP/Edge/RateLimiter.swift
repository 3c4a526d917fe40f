import HTTPTypes
import Synchronization
import VaultBase

/// So many requests a minute for each caller, in memory that does not grow with the callers.
///
/// A bucket that holds a minute's requests and refills evenly (the generic cell rate algorithm: one number
/// for each caller, the time at which its bucket will be full). The buckets stand in a table of 4096 sets
/// of four; when a set is full, the bucket that is nearest to full is forgotten, which costs that caller
/// nothing and the vault almost nothing.
final class RateLimiter: Sendable {
    private struct Bucket {
        var caller: UInt64 = 0
        /// Milliseconds; 0 for a bucket that nobody uses.
        var fullAt: Int64 = 0
    }

    private static let sets = 4096
    private static let ways = 4

    let perMinute: Int
    private let interval: Int64
    private let now: @Sendable () -> Int64
    private let table: Mutex<[Bucket]>

    /// - Parameters:
    ///   - perMinute: 0 for no limit.
    ///   - now: milliseconds that never go back.
    init(perMinute: Int, now: @escaping @Sendable () -> Int64) {
        self.perMinute = perMinute
        self.now = now
        interval = perMinute > 0 ? max(1, 60_000 / Int64(perMinute)) : 0
        table = Mutex(Array(repeating: Bucket(), count: perMinute > 0 ? Self.sets * Self.ways : 0))
    }

    /// Takes one request of the caller's, if there is one left.
    func take(_ caller: some Hashable) -> Allowance {
        guard perMinute > 0 else { return Allowance(allowed: true, limit: 0, remaining: 0, wait: 0) }
        // The hash is keyed anew in every process, so nobody can choose addresses that collide.
        let hash = UInt64(bitPattern: Int64(caller.hashValue)) | 1
        let first = Int(hash >> 32 % UInt64(Self.sets)) * Self.ways
        let now = now()
        let whole = interval * Int64(perMinute)
        return table.withLock { table in
            var slot = first
            for index in first..<(first + Self.ways) {
                if table[index].caller == hash {
                    slot = index
                    break
                }
                if table[index].fullAt < table[slot].fullAt { slot = index }
            }
            let fullAt = table[slot].caller == hash ? max(table[slot].fullAt, now) : now
            let after = fullAt + interval
            guard after - now <= whole else {
                return Allowance(allowed: false, limit: perMinute, remaining: 0, wait: after - now - whole)
            }
            table[slot] = Bucket(caller: hash, fullAt: after)
            return Allowance(
                allowed: true, limit: perMinute, remaining: Int((whole - (after - now)) / interval), wait: after - now)
        }
    }
}

/// What a limiter said.
struct Allowance {
    var allowed: Bool
    var limit: Int
    var remaining: Int
    /// Milliseconds: until the next request is allowed, or, when this one was, until all are there again.
    var wait: Int64

    private var seconds: Int64 { (wait + 999) / 1000 }

    /// `RateLimit-Limit`, `-Remaining` and `-Reset` (draft-ietf-httpapi-ratelimit-headers-07).
    func write(to headers: inout HTTPFields) {
        guard limit > 0 else { return }
        headers[.rateLimitLimit] = String(limit)
        headers[.rateLimitRemaining] = String(remaining)
        headers[.rateLimitReset] = String(seconds)
    }

    /// - Throws: `rate-limited`, with the time to wait.
    func check(_ what: String) throws(Refusal) {
        guard !allowed else { return }
        var headers = HTTPFields()
        write(to: &headers)
        throw Refusal(
            error: VaultError(
                .rateLimited, "more than \(limit) \(what) a minute", hint: "wait as long as Retry-After says",
                retryAfter: .milliseconds(max(wait, 1))), headers: headers)
    }
}

extension HTTPField.Name {
    static let rateLimitLimit = Self("RateLimit-Limit")!
    static let rateLimitRemaining = Self("RateLimit-Remaining")!
    static let rateLimitReset = Self("RateLimit-Reset")!
}
