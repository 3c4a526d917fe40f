import Synchronization

/// Whether requests are taken: not before the public listener is bound, and no more once it was told to stop.
///
/// Shared by that listener, which knows, and the operator's, which says so at `/readyz`.
public final class Readiness: Sendable {
    enum Stage: String, Sendable { case starting, serving, draining }

    private let current = Mutex(Stage.starting)

    public init() {}

    var stage: Stage { current.withLock { $0 } }

    /// The listener is bound; says nothing new when it was told to stop meanwhile.
    func serve() { current.withLock { if $0 == .starting { $0 = .serving } } }

    /// It was told to stop, or has ended: what is under way is answered, and nobody new should come.
    func drain() { current.withLock { $0 = .draining } }
}
