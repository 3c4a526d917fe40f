import Logging
import VaultBase
import VaultRecords

/// Revocations that their providers could not take at once.
enum Revocations {
    static let interval = Duration.seconds(5)
    static let batch = 64
    static let base = Duration.seconds(30)
    static let ceiling = Duration.seconds(3600)

    /// How far off one can be put: by the longest wait, and by what a clock may be set without a word.
    static let latest = ceiling + ClockWatch.tolerance

    /// Exponential, the upper half by chance.
    static func wait(after attempts: Int) -> Duration {
        Duration.doubling(base, times: attempts, ceiling: ceiling).upperHalf
    }
}

extension Vault {
    /// One round: tries what is due, gives up what took too long, and tells how each ended.
    func revokeWhatWaits() async throws {
        let due = try records.read { records in
            try records.revocations(
                dueBefore: records.now, latest: records.now + Revocations.latest, limit: Revocations.batch)
        }
        for revocation in due {
            guard revocation.endsAt > records.now else {
                try await end(revocation, .no)
                continue
            }
            let name = ConnectionName(user: revocation.user, platform: revocation.platform)
            guard isCallable(name.platform) else {
                try await postpone(revocation, attempts: revocation.attempts)
                continue
            }
            let outcome =
                await bounded(options.revocationPatience) {
                    await self.revoke(revocation.accessToken, revocation.refreshToken, of: name, tries: 1)
                } ?? .pending
            guard outcome == .pending else {
                try await end(revocation, outcome)
                continue
            }
            try await postpone(revocation, attempts: revocation.attempts + 1)
        }
    }

    private func postpone(_ revocation: PendingRevocation, attempts: Int) async throws {
        let lifetime = options.revocationLifetime
        try await records.write(for: .saving) { transaction in
            guard try transaction.isKept(revocation) else { return }
            var next = revocation
            next.attempts = attempts
            // At its end too, so that it is given up in time; and one from a clock that was wrong, no later.
            next.endsAt = min(revocation.endsAt, transaction.now + lifetime)
            next.nextAt = min(transaction.now + Revocations.wait(after: attempts), next.endsAt)
            try transaction.put(next)
        }
    }

    private func end(_ revocation: PendingRevocation, _ outcome: Disconnection.Revocation) async throws {
        let teller = teller
        let name = ConnectionName(user: revocation.user, platform: revocation.platform)
        let ended = try await records.write(for: .shrinking) { transaction in
            // The account may have been connected anew meanwhile, or disconnected once more.
            guard try transaction.isKept(revocation) else { return false }
            try transaction.delete(revocation)
            try teller.tell(.revocationEnded, name, .init(revoked: outcome.rawValue), in: transaction)
            return true
        }
        guard ended else { return }
        teller.ring()
        observation.revocation(name.platform, outcome.rawValue)
        logger.notice(
            "revocation.ended",
            metadata: facts(
                name.user, name.platform, ["revoked": "\(outcome)", "attempts": "\(revocation.attempts + 1)"]))
    }
}
