import Dispatch
import Synchronization
import VaultRecords

/// All living connections, one by one, read on a thread of its own a little ahead of whoever takes them.
///
/// A walk over the store is synchronous, and what is done with a connection is not: the walk waits for the
/// taker, never the server's threads for the walk.
struct ConnectionStream: AsyncSequence {
    typealias Element = Connection

    /// How many connections are read ahead.
    static let ahead = 64

    private let records: Records

    init(_ records: Records) { self.records = records }

    func makeAsyncIterator() -> Iterator { Iterator(records) }

    struct Iterator: AsyncIteratorProtocol {
        private var connections: AsyncThrowingStream<Connection, any Error>.Iterator
        private let lease: Lease

        init(_ records: Records) {
            let walk = Walk()
            lease = Lease(walk)
            connections = AsyncThrowingStream { feed in
                DispatchQueue(label: "vault.walk").async {
                    do {
                        try records.forEachConnection { connection in
                            walk.slots.wait()
                            guard !walk.ended.load(ordering: .acquiring) else { return false }
                            feed.yield(connection)
                            return true
                        }
                        feed.finish()
                    } catch {
                        feed.finish(throwing: error)
                    }
                }
            }.makeAsyncIterator()
        }

        mutating func next() async throws -> Connection? {
            let connection = try await connections.next()
            lease.walk.slots.signal()
            return connection
        }
    }

    private final class Walk: Sendable {
        // Counts up from zero: a semaphore that ends below its first value is a crash.
        let slots = DispatchSemaphore(value: 0)
        let ended = Atomic(false)

        init() {
            for _ in 0..<ConnectionStream.ahead { slots.signal() }
        }
    }

    /// Lets the walk go when nobody takes from it any more.
    private final class Lease: Sendable {
        let walk: Walk

        init(_ walk: Walk) { self.walk = walk }

        deinit {
            walk.ended.store(true, ordering: .releasing)
            walk.slots.signal()
        }
    }
}
