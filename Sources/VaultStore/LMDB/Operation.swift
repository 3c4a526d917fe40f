import VaultBase

/// A write that was asked for and not yet answered. The writer's thread alone touches it.
class Operation: @unchecked Sendable {
    /// Whether its commit waits for the disk.
    let isDurable: Bool

    init(isDurable: Bool) { self.isDurable = isDurable }

    /// Runs the caller's closure and keeps its outcome.
    func run(in transaction: LMDBWriting) {}

    /// Whether the last run threw.
    var hasFailed: Bool { false }

    /// Answers the caller, once: with the kept outcome, or with `failure` when there is one.
    func answer(_ failure: VaultError? = nil) {}
}

final class Write<R: Sendable>: Operation, @unchecked Sendable {
    private let body: @Sendable (any StoreWriting) throws -> R
    private let caller: CheckedContinuation<R, any Error>
    private var outcome: Result<R, any Error> = .failure(Limits.closed)

    init(
        _ body: @escaping @Sendable (any StoreWriting) throws -> R, isDurable: Bool,
        for caller: CheckedContinuation<R, any Error>
    ) {
        self.body = body
        self.caller = caller
        super.init(isDurable: isDurable)
    }

    override func run(in transaction: LMDBWriting) {
        outcome = Result { try body(transaction) }
    }

    override var hasFailed: Bool {
        if case .failure = outcome { return true }
        return false
    }

    override func answer(_ failure: VaultError?) {
        if let failure { caller.resume(throwing: failure) } else { caller.resume(with: outcome) }
    }
}
