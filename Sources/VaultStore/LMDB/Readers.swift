import CLMDB
import Dispatch
import Glibc
import Synchronization
import VaultBase

/// Read transactions at rest, so that a read need not take LMDB's lock on its reader table.
///
/// One at rest holds a slot but no snapshot. Every path out of a read puts it back. They rest in several places, and a
/// thread comes back to its own: two that read at once share no lock.
final class Readers: Sendable {
    private struct State {
        var idle: [Resting] = []
        var active = 0
        var isClosed = false
    }

    private struct Resting: @unchecked Sendable {
        // Sendable: MDB_NOTLS ties a slot to the transaction, which one thread at a time uses.
        let raw: OpaquePointer
        /// What is lent of it, kept so that the next read need not make another.
        var reading: LMDBReading
    }

    private final class Place: Sendable {
        let state = Mutex(State())
        private let distance = CacheLine()
    }

    private let environment: Environment
    private let places = (0..<ThreadPlace.count).map { _ in Place() }
    private let done = DispatchSemaphore(value: 0)

    init(_ environment: Environment) { self.environment = environment }

    func read<R>(_ body: (LMDBReading, OpaquePointer) throws -> R) throws -> R {
        try environment.checkProcess()
        let place = places[ThreadPlace.index]
        let resting = try take(from: place)
        defer { giveBack(resting, to: place) }
        return try body(resting.reading, resting.raw)
    }

    /// Waits until no read runs any more and ends every transaction. Blocks: for the writer's thread.
    func close() {
        for place in places {
            let active = place.state.withLock { state in
                state.isClosed = true
                return state.active
            }
            if active > 0 { done.wait() }
            // Taken out: a read in another place that finds no slot looks for one here, too.
            let idle = place.state.withLock { state in
                defer { state.idle = [] }
                return state.idle
            }
            for resting in idle { mdb_txn_abort(resting.raw) }
        }
    }

    private func take(from place: Place) throws(VaultError) -> Resting {
        var resting = try place.state.withLock { state throws(VaultError) in
            guard !state.isClosed else { throw Limits.closed }
            state.active += 1
            return state.idle.popLast()
        }
        var raw = resting?.raw
        var status = raw == nil ? begin(&raw) : mdb_txn_renew(raw)
        if status == MDB_READERS_FULL {
            resting = resting ?? another()
            raw = resting?.raw
            var dead: Int32 = 0
            if raw == nil { mdb_reader_check(environment.raw, &dead) }
            status = raw == nil ? begin(&raw) : mdb_txn_renew(raw)
        }
        guard status == MDB_SUCCESS, let raw else {
            give(resting, to: place)
            throw Fault.error(status, "read the store")
        }
        guard let resting else { return Resting(raw: raw, reading: LMDBReading(raw, in: environment)) }
        resting.reading.begin(raw)
        return resting
    }

    private func giveBack(_ resting: consuming Resting, to place: Place) {
        resting.reading.end()
        mdb_txn_reset(resting.raw)
        // Somebody kept what was only lent: it must not come to life again.
        if !isKnownUniquelyReferenced(&resting.reading) {
            resting.reading = LMDBReading(resting.raw, in: environment)
            resting.reading.end()
        }
        give(resting, to: place)
    }

    /// One that rests in any place, when there is no slot for a new one.
    private func another() -> Resting? {
        for place in places {
            if let resting = place.state.withLock({ $0.idle.popLast() }) { return resting }
        }
        return nil
    }

    private func begin(_ raw: inout OpaquePointer?) -> Int32 {
        mdb_txn_begin(environment.raw, nil, UInt32(MDB_RDONLY), &raw)
    }

    private func give(_ resting: consuming Resting?, to place: Place) {
        let isLast = place.state.withLock { state in
            state.active -= 1
            if let resting = resting.take() { state.idle.append(resting) }
            return state.isClosed && state.active == 0
        }
        if isLast { done.signal() }
    }
}
