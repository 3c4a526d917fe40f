import Synchronization
import VaultBase
import VaultProviders

/// The platforms that asked us to slow down, and until when: refresh-ahead, validations and late revocations leave
/// them alone so long. What a user waits for is tried all the same, under its own back-off.
///
/// Kept in the store too, so that a restart hammers nobody.
final class Cooldowns: Sendable {
    /// When the platform does not say how long.
    static let usual = Duration.seconds(60)
    static let longest = Duration.seconds(86_400)

    private let ends: Mutex<[PlatformName: Timestamp]>

    init(_ kept: [PlatformName: Timestamp]) { ends = Mutex(kept) }

    /// Notes a failure that asks for patience (429, or 503 with `Retry-After`); returns until when, if that is news
    /// for the store.
    func note(_ failure: ProviderFailure, at platform: PlatformName, now: Timestamp) -> Timestamp? {
        guard failure.status == 429 || failure.status == 503 && failure.retryAfter != nil else { return nil }
        let until = now + min(max(failure.retryAfter ?? Self.usual, .seconds(1)), Self.longest)
        return ends.withLock { ends in
            if let known = ends[platform], known >= until, known <= now + Self.longest { return nil }
            ends[platform] = until
            return until
        }
    }

    func isCooling(_ platform: PlatformName, now: Timestamp) -> Bool {
        ends.withLock { $0[platform]?.isAwaited(at: now, longest: Self.longest) ?? false }
    }

    func count(now: Timestamp) -> Int { ends.withLock { $0.values.count { now < $0 } } }
}
