import Synchronization

/// Counts from several threads.
final class Counter: Sendable {
    private let value = Atomic(0)

    @discardableResult
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }

    var count: Int { value.load(ordering: .relaxed) }
}
