import CLMDB
import Dispatch
import Glibc
import Testing
import VaultBase

@testable import VaultStore

/// Reads that come while a store is being closed.
@Suite struct LMDBReaderTests {
    @Test func aReadWithoutASlotTakesNoneThatAClosingStoreHasEnded() async throws {
        let scratch = Scratch()
        var options = LMDBStore.Options()
        options.readers = 2
        let store = try LMDBStore.create(at: scratch.store, options: options)
        try await store.put("one", for: "a")
        // Closing goes from place to place: the first rests, the second holds it up, the others are still open.
        let threads = Seat.inOrder(4)
        try #require(threads.count == 4, "there are too few places")

        threads[0].run { _ = try store.text("a") }.wait()
        let (held, end) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let hold: @Sendable () throws -> Void = {
            try store.read { _ in
                held.signal()
                end.wait()
            }
        }
        let slow = threads[1].run(hold)
        Seat.wait(held)
        #expect(Self.slots(store) == 2)
        async let closed: Void = store.close()
        while Self.slots(store) == 2 { await Task.yield() }
        // It takes the slot that was let go of; the next finds none.
        let late = threads[2].run(hold)
        Seat.wait(held)
        let refused = threads[3].run { _ = try store.text("a") }
        refused.wait()
        #expect(refused.code == .unavailable && refused.message?.contains("MDB_READERS_FULL") == true)

        end.signal()
        end.signal()
        slow.wait()
        late.wait()
        await closed
        #expect(slow.code == nil && late.code == nil)
    }

    /// How many slots of the reader table are taken.
    private static func slots(_ store: LMDBStore) -> Int {
        var lines = 0
        mdb_reader_list(
            store.environment.raw,
            { line, context in
                // The first line is the heading; with nobody there, it is the only one.
                if let line, String(cString: line).contains(where: \.isNumber) {
                    context?.assumingMemoryBound(to: Int.self).pointee += 1
                }
                return 0
            }, &lines)
        return lines
    }
}

/// A thread of its own, whose reads rest in one place.
private final class Seat: @unchecked Sendable {
    // Sendable: what it runs is handed over with a semaphore.
    private(set) var place = -1
    private var job: Job?
    private let work = DispatchSemaphore(value: 0)

    /// Something that a seat runs, and how it ended.
    final class Job: @unchecked Sendable {
        // Sendable: written before the semaphore, read after it.
        fileprivate let body: @Sendable () throws -> Void
        fileprivate var error: VaultError?
        fileprivate let done = DispatchSemaphore(value: 0)
        var code: VaultError.Code? { error?.code }
        var message: String? { error?.message }

        fileprivate init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }
        func wait() { Seat.wait(done) }
    }

    static func wait(_ semaphore: DispatchSemaphore) { semaphore.wait() }

    /// Threads in places that rise; as many as there are, up to `count`.
    static func inOrder(_ count: Int) -> [Seat] {
        // Stacks of different lengths, so that their ends are not all alike.
        let seats = (0..<32).map { Seat(stackBytes: (64 + $0 * 7 % 16) << 12) }
        var places: [Int: Seat] = [:]
        for seat in seats { places[seat.place] = seat }
        return places.sorted { $0.key < $1.key }.prefix(count).map(\.value)
    }

    private init(stackBytes: Int) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackBytes)
        let born = Job {}
        job = born
        pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                let seat = Unmanaged<Seat>.fromOpaque(context).takeRetainedValue()
                seat.place = ThreadPlace.index
                seat.job?.done.signal()
                // The thread ends with the process: a test's few.
                while true {
                    seat.work.wait()
                    guard let job = seat.job else { return nil }
                    do { try job.body() } catch { job.error = error as? VaultError }
                    job.done.signal()
                }
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_attr_destroy(&attributes)
        born.wait()
    }

    func run(_ body: @escaping @Sendable () throws -> Void) -> Job {
        let job = Job(body)
        self.job = job
        work.signal()
        return job
    }
}
