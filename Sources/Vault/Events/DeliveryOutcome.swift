import VaultBase
import VaultProviders
import VaultRecords

/// What an attempt to tell a receiver of an event came to.
enum DeliveryOutcome {
    case delivered
    /// This event was refused; others may go.
    case refused(String, retryAfter: Duration?)
    /// The receiver itself is not well.
    case down(String, retryAfter: Duration?)
    case dead(String)

    /// After so many attempts an event is dead.
    static let attempts = 20
    static let base = Duration.seconds(5)
    static let ceiling = Duration.seconds(6 * 3600)
    /// However long a receiver asks to wait.
    static let retryAfterLimit = Duration.seconds(86_400)

    /// - Parameter answer: nil when none came in time.
    init(_ answer: Result<ProviderAnswer, ProviderFailure>?, now: Timestamp) {
        switch answer {
        case nil: self = .down("timeout", retryAfter: nil)
        case .failure(let failure): self = .down(failure.code, retryAfter: failure.retryAfter)
        case .success(let answer):
            let (code, wait) = ("http-\(answer.status)", answer.retryAfter(now: now))
            self =
                switch answer.status {
                case 200..<300: .delivered
                // Standard Webhooks: the receiver wants no more of these.
                case 410: .dead(code)
                case 408, 425, 429, 500...: .down(code, retryAfter: wait)
                default: .refused(code, retryAfter: wait)
                }
        }
    }

    /// Exponential, the upper half by chance, never sooner than the receiver asked.
    static func wait(after attempts: Int, retryAfter: Duration?) -> Duration {
        let dice = Duration.doubling(base, times: attempts - 1, ceiling: ceiling).upperHalf
        return max(dice, min(retryAfter ?? .zero, retryAfterLimit))
    }
}

extension EventRecord.Delivery {
    /// How far telling has come after one more attempt.
    mutating func settle(_ outcome: DeliveryOutcome, now: Timestamp) {
        switch outcome {
        case .delivered:
            state = .delivered
            attempts += 1
            code = nil
        case .dead(let code):
            state = .dead
            self.code = code
        case .refused(let code, let wait), .down(let code, let wait):
            attempts += 1
            self.code = code
            nextAt = now + DeliveryOutcome.wait(after: attempts, retryAfter: wait)
            if attempts >= DeliveryOutcome.attempts { state = .dead }
        }
    }
}
