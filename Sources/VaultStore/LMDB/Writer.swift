import CLMDB
import Dispatch
import Glibc
import Synchronization
import VaultBase

/// The one thread that writes, and the queue before it.
///
/// It takes what waits and commits it together: while one commit goes to disk the next batch gathers; ``Gathering`` says
/// when it waits for company besides. What a batch carries is answered only after its commit.
final class Writer: Sendable {
    /// The most operations, and about the most bytes put, that one commit carries.
    private static let batchLimit = (operations: 256, bytes: 4 << 20)

    struct Counts {
        var commits = 0
        var operations = 0
        var lastCommit: Duration?
        /// Accepted and not yet answered.
        var waiting = 0
    }

    private struct State {
        var queue: [Operation] = []
        var counts = Counts()
        var gathering = Gathering()
        /// With how many in the queue the writer is called, besides the first.
        var wanted = 1
        var failure: VaultError?
        var isClosing = false
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let environment: Environment
    private let readers: Readers
    private let ownership: Ownership
    private let queueLimit: Int
    private let onFailure: (@Sendable (VaultError) -> Void)?
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)

    var counts: Counts { state.withLock { $0.counts } }
    var failure: VaultError? { state.withLock { $0.failure } }

    init(_ environment: Environment, readers: Readers, ownership: Ownership, options: LMDBStore.Options) {
        self.environment = environment
        self.readers = readers
        self.ownership = ownership
        queueLimit = options.queueLimit
        onFailure = options.onFailure
    }

    /// Starts the thread; it ends, and lets go of everything, after ``stop()``.
    func start() throws(VaultError) {
        pthread_detach(try OwnThread.start { self.run() })
    }

    func write<R: Sendable>(
        _ body: @escaping @Sendable (any StoreWriting) throws -> R, isDurable: Bool
    ) async throws -> R {
        try environment.checkProcess()
        return try await withCheckedThrowingContinuation { caller in
            let operation = Write(body, isDurable: isDurable, for: caller)
            do throws(VaultError) { try accept(operation) } catch { operation.answer(error) }
        }
    }

    /// Takes no more writes; those accepted are finished.
    func stop() {
        state.withLock { $0.isClosing = true }
        work.signal()
    }

    func close() async {
        await withCheckedContinuation { caller in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.closers.append(caller) }
                return state.isClosed
            }
            if isClosed { caller.resume() } else { stop() }
        }
    }

    private func accept(_ operation: Operation) throws(VaultError) {
        let isAwaited = try state.withLock { state throws(VaultError) in
            if let failure = state.failure { throw failure }
            guard !state.isClosing else { throw Limits.closed }
            guard state.counts.waiting < queueLimit else {
                throw VaultError(
                    .unavailable, "\(queueLimit) writes are waiting for the disk",
                    hint: "try again when there is less to do", retryAfter: .seconds(1))
            }
            state.counts.waiting += 1
            state.queue.append(operation)
            return state.queue.count == 1 || state.queue.count == state.wanted
        }
        if isAwaited { work.signal() }
    }

    // MARK: On the writer's thread

    private func run() {
        pthread_setname_np(pthread_self(), "vault-writer")
        OwnThread.leaveSignalsToOthers()
        while true {
            work.wait()
            gather()
            let (operations, isClosing) = state.withLock { state in
                let operations = state.queue
                state.queue = []
                state.wanted = 1
                return (operations, state.isClosing)
            }
            commit(operations[...])
            if isClosing { break }
        }
        readers.close()
        environment.close()
        ownership.release()
        let closers = state.withLock { state in
            state.isClosed = true
            return state.closers
        }
        for closer in closers { closer.resume() }
    }

    /// Waits for those who will be here soon.
    private func gather() {
        let patience = state.withLock { state -> Duration? in
            guard !state.isClosing, let last = state.counts.lastCommit, let wanted = state.gathering.wanted(),
                state.queue.count < wanted
            else { return nil }
            state.wanted = wanted
            return last / Gathering.share
        }
        guard let patience else { return }
        _ = work.wait(timeout: .now() + .nanoseconds(Int(patience / .nanoseconds(1))))
        state.withLock { $0.gathering.gathered($0.queue.count) }
    }

    private func commit(_ operations: ArraySlice<Operation>) {
        var rest = operations
        while !rest.isEmpty { rest = rest.dropFirst(step(rest)) }
    }

    /// Commits as many of the first operations as fit one transaction, and says how many it answered.
    ///
    /// An operation that throws before it wrote leaves the shared transaction as it was. One that throws
    /// later has spoiled it: those before it run again and are committed without it, then it runs once more
    /// as the first of the next transaction, where its failure is its own. Nested transactions would spare
    /// the second run, but make LMDB allocate and merge 2 MiB of bookkeeping for each operation of every batch.
    private func step(_ operations: ArraySlice<Operation>) -> Int {
        if let failure { return answer(operations, failure) }
        let isDurable = operations.first?.isDurable ?? true
        // LMDB knows this of the environment alone, whose only writer we are.
        mdb_env_set_flags(environment.raw, UInt32(MDB_NOSYNC), isDurable ? 0 : 1)
        var raw: OpaquePointer?
        let status = mdb_txn_begin(environment.raw, nil, 0, &raw)
        guard status == MDB_SUCCESS, let raw else { return failed(operations, status) }

        let transaction = LMDBWriting(raw, in: environment)
        var batch = operations.prefix(0)
        for operation in operations.prefix(Self.batchLimit.operations) {
            // A flush makes all commits before it durable, those without one too.
            guard operation.isDurable == isDurable else { break }
            let writes = transaction.writes
            transaction.room = .growing
            operation.run(in: transaction)
            if transaction.broken != nil || operation.hasFailed && transaction.writes > writes {
                transaction.end()
                mdb_txn_abort(raw)
                if batch.isEmpty { return spoiled(operation, transaction.broken) }
                commit(batch)
                return batch.count
            }
            batch = operations.prefix(batch.count + 1)
            if transaction.bytes >= Self.batchLimit.bytes { break }
        }
        transaction.end()
        return finish(raw, batch, hasWritten: transaction.writes > 0)
    }

    private func finish(_ raw: OpaquePointer, _ batch: ArraySlice<Operation>, hasWritten: Bool) -> Int {
        let start = ContinuousClock.now
        let status = mdb_txn_commit(raw)
        guard status == MDB_SUCCESS else { return failed(batch, status) }
        if hasWritten {
            let duration = ContinuousClock.now - start
            state.withLock { state in
                state.counts.commits += 1
                state.counts.lastCommit = duration
            }
        }
        return answer(batch, nil, carried: batch.count { !$0.hasFailed })
    }

    private func failed(_ batch: ArraySlice<Operation>, _ status: Int32) -> Int {
        var reach = Fault.reach(status)
        if hasPanicked {
            // The page that makes a commit count was written or not; even "no room" is no answer then.
            reach = .store
        } else if status == EIO, environment.isOutOfRoom {
            reach = .room
        }
        switch reach {
        case .store:
            return answer(batch, fail(status))
        case .room where batch.count > 1:
            // Together they do not fit; some may alone.
            for place in batch.indices { commit(batch[place...place]) }
            return batch.count
        case .room, .operation:
            return answer(batch, Fault.error(status == EIO ? ENOSPC : status, "write to the store"))
        }
    }

    private func spoiled(_ operation: Operation, _ broken: (status: Int32, error: VaultError)?) -> Int {
        guard let broken else { return answer([operation], nil) }
        return Fault.reach(broken.status) == .store
            ? failed([operation], broken.status) : answer([operation], broken.error)
    }

    /// The failure after which nothing is written any more.
    private func fail(_ status: Int32) -> VaultError {
        let error = Fault.unknownOutcome(status)
        Doubt.raise(in: environment.path)
        state.withLock { $0.failure = error }
        onFailure?(error)
        return error
    }

    /// Whether LMDB has seen its meta page fail, after which it begins nothing any more.
    private var hasPanicked: Bool {
        var raw: OpaquePointer?
        let status = mdb_txn_begin(environment.raw, nil, 0, &raw)
        if status == MDB_SUCCESS { mdb_txn_abort(raw) }
        return status == MDB_PANIC
    }

    private func answer(_ batch: ArraySlice<Operation>, _ failure: VaultError?, carried: Int = 0) -> Int {
        state.withLock { state in
            state.counts.operations += carried
            state.counts.waiting -= batch.count
            state.gathering.answered(batch.count, waiting: state.queue.count)
        }
        for operation in batch { operation.answer(failure) }
        return batch.count
    }
}
