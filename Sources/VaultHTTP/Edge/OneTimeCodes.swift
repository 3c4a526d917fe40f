import Synchronization
import Vault
import VaultBase

/// Sessions waiting to be fetched with a code that works once, for ``SessionDelivery/code``.
///
/// In memory only: a code lives for a minute and a restart forgets it. It belongs to the browser that
/// logged in, by its binding cookie, so that a code read over a shoulder or in a log is worth nothing.
final class OneTimeCodes: Sendable {
    private struct Waiting {
        var session: IssuedSession
        var binding: Secret
        var endsAt: Timestamp
    }

    /// How long a code may be used.
    static let lifetime = Duration.seconds(60)
    /// How many may wait at once.
    static let limit = 10_000

    private let clock: any WallClock
    private let waiting = Mutex<[String: Waiting]>([:])

    init(clock: any WallClock) { self.clock = clock }

    /// - Throws: `rate-limited` when ``limit`` are waiting already.
    func issue(_ session: IssuedSession, to binding: Secret) throws(VaultError) -> String {
        var generator = SystemRandomNumberGenerator()
        let code = Base64.encodeURL((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let now = clock.now()
        let accepted = waiting.withLock {
            if $0.count >= Self.limit { $0 = $0.filter { now < $0.value.endsAt } }
            guard $0.count < Self.limit else { return false }
            $0[code] = Waiting(session: session, binding: binding, endsAt: now + Self.lifetime)
            return true
        }
        guard accepted else { throw VaultError(.rateLimited, "too many logins wait for their code to be used") }
        return code
    }

    /// - Throws: `unauthorized` for a code that is unknown, used, over or another browser's; it is worth
    ///   nothing from then on.
    func redeem(_ code: String, by binding: Secret?) throws(VaultError) -> IssuedSession {
        let found = waiting.withLock { $0.removeValue(forKey: code) }
        guard let found, clock.now() < found.endsAt, found.binding == binding else {
            throw VaultError(
                .unauthorized, "the code is unknown, used, over or another browser's", hint: "log in again")
        }
        return found.session
    }
}
