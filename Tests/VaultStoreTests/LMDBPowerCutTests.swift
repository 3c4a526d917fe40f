import CVaultFaults
import Glibc
import Testing
import VaultBase

@testable import VaultStore

/// Records every write and flush of a busy store, builds what a power cut at each moment may leave on the
/// disk, opens that, and looks whether anything that was answered is gone or half there.
///
/// The disk of this model may reorder, drop and tear (at 512 bytes) whatever was not flushed.
@Suite(.serialized) struct LMDBPowerCutTests {
    let scratch = Scratch(inMemory: true)

    /// As many as `VAULT_FAULT_SEEDS` says. Default: 3.
    private static let seeds = Array(1...(getenv("VAULT_FAULT_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 3))

    @Test(arguments: seeds) func nothingThatWasAnsweredIsLost(seed: UInt64) async throws {
        let record = try await Record(in: scratch.path)
        let losses = try await record.losses(seed: seed, honoursFlushes: true)
        #expect(losses.isEmpty)
    }

    /// What was loaded without a flush is durable with the first write after it.
    @Test(arguments: seeds) func whatWasLoadedIsThereAfterTheNextWrite(seed: UInt64) async throws {
        let record = try await Record(in: scratch.path, loading: true)
        let losses = try await record.losses(seed: seed, honoursFlushes: true)
        #expect(losses.isEmpty)
    }

    @Test func thisTestWouldNoticeALoadThatIsNeverWritten() async throws {
        await #expect(processExitsWith: .failure) { [path = scratch.path as String] in
            guard let record = try? await Record(in: path, loading: true, isEnded: false) else { exit(EXIT_SUCCESS) }
            let losses = try await record.losses(seed: 1, honoursFlushes: true)
            exit(losses.isEmpty ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test func thisTestWouldNoticeAStoreThatDoesNotFlush() async throws {
        // In a process of its own: such a file may well crash LMDB.
        await #expect(processExitsWith: .failure) { [path = scratch.path as String] in
            // Failing to record is no proof.
            guard let record = try? await Record(in: path) else { exit(EXIT_SUCCESS) }
            let losses = try await record.losses(seed: 1, honoursFlushes: false)
            exit(losses.isEmpty ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }
}

/// One run of a busy store.
private struct Record {
    struct Event {
        var kind: Int
        var number: Int
        var offset: Int
        var bytes: [UInt8]
    }

    private let place: String
    private var start: [UInt8]
    private var events: [Event]

    /// The first moment at which anything was promised.
    private let first: Int

    /// - Parameters:
    ///   - place: where the run and what power cuts leave of it may lie for a while.
    ///   - loading: without flushes, in a row, and everything is answered after one write at the end.
    ///   - isEnded: whether there is that write.
    init(in place: String, loading: Bool = false, isEnded: Bool = true) async throws {
        self.place = place
        let scratch = Scratch(in: place)
        let store = try LMDBStore.create(at: scratch.store)
        for number in 0..<20 { try await store.put("old", for: "old-\(number)", in: .due) }
        start = try Self.bytes(of: scratch.data)
        try #require(vault_record(scratch.data) == 0)
        if loading {
            for number in 0..<60 { try await store.load { try Self.work(number, $0) } }
            if isEnded { try await store.put("value", for: "last", in: .audit) }
            for number in 0..<60 { vault_record_mark(Int32(number)) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<(loading ? 0 : 4) {
                group.addTask {
                    for number in stride(from: writer, to: 60, by: 4) {
                        try await store.write { try Self.work(number, $0) }
                        vault_record_mark(Int32(number))
                    }
                }
            }
            try await group.waitForAll()
        }
        events = (0..<vault_record_stop()).map { place in
            let event = vault_recorded(place)
            let bytes = UnsafeBufferPointer(start: event.bytes, count: Int(event.length))
            return Event(kind: Int(event.kind), number: Int(event.number), offset: event.offset, bytes: Array(bytes))
        }
        first = loading ? events.firstIndex { $0.kind == VAULT_EVENT_MARK } ?? 0 : 0
        await store.close()
        try #require(events.count { $0.kind == VAULT_EVENT_MARK } == 60)
        let flushes = events.count { $0.kind == VAULT_EVENT_FLUSH }
        try #require(loading ? flushes == (isEnded ? 1 : 0) : flushes >= 15)
    }

    private static func work(_ number: Int, _ transaction: any StoreWriting) throws {
        let count = Int(try transaction.text("count", in: .state) ?? "0") ?? 0
        try transaction.put("\(count + 1)", for: "count", in: .state)
        try transaction.put(String(repeating: "v", count: 200 * number), for: "key-\(number)")
        try transaction.delete("old-\(number)", in: .due)
    }

    /// What is wrong with the files that power cuts leave, one line each.
    func losses(seed: UInt64, honoursFlushes: Bool) async throws -> [String] {
        var chance = Chance(state: seed)
        var losses: [String] = []
        for moment in first...events.count {
            let scratch = Scratch(in: place)
            mkdir(scratch.store, 0o700)
            try write(image(at: moment, honoursFlushes, &chance), to: scratch.data)
            let answered = events[..<moment].filter { $0.kind == VAULT_EVENT_MARK }.map(\.number)
            do {
                let store = try LMDBStore.open(at: scratch.store)
                losses += try Self.losses(in: store, answered).map { "at \(moment): \($0)" }
                try await store.put("value", for: "after", in: .audit)
                await store.close()
            } catch { losses.append("at \(moment): \(error)") }
        }
        return losses
    }

    private static func losses(in store: LMDBStore, _ answered: [Int]) throws -> [String] {
        try store.read { transaction in
            var losses: [String] = []
            for number in answered where try transaction.text("key-\(number)")?.utf8.count != 200 * number {
                losses.append("\(number) is gone")
            }
            let count = Int(try transaction.text("count", in: .state) ?? "0") ?? 0
            if try transaction.keys().count != count { losses.append("\(count) were counted, others are there") }
            for number in 0..<20 {
                let isOld = try transaction.text("old-\(number)", in: .due) != nil
                if try isOld == (transaction.text("key-\(number)") != nil) { losses.append("\(number) is half there") }
            }
            return losses
        }
    }

    /// The file after a power cut before event `moment` had returned.
    private func image(at moment: Int, _ honoursFlushes: Bool, _ chance: inout Chance) -> [UInt8] {
        let past = events[..<min(moment + 1, events.count)]
        let flushed = events[..<moment].lastIndex { $0.kind == VAULT_EVENT_FLUSH } ?? -1
        var image = start
        for (place, event) in past.enumerated() where !event.bytes.isEmpty {
            let isOnDisk = place < flushed || event.kind == VAULT_EVENT_DURABLE_WRITE && place < moment
            let luck = honoursFlushes && isOnDisk ? 0 : chance.next(3)
            if luck == 1 { continue }
            if image.count < event.offset + event.bytes.count {
                image += [UInt8](repeating: 0, count: event.offset + event.bytes.count - image.count)
            }
            var next = 0
            while next < event.bytes.count {
                // Sectors lie at multiples of 512 in the file, and are written whole or not.
                let end = min(event.bytes.count, next + 512 - (event.offset + next) % 512)
                if luck == 0 || chance.next(2) == 0 {
                    image.replaceSubrange(event.offset + next..<event.offset + end, with: event.bytes[next..<end])
                }
                next = end
            }
        }
        return image
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = try Files.open(path, O_CREAT | O_WRONLY)
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        Glibc.close(descriptor)
    }

    private static func bytes(of path: String) throws -> [UInt8] {
        let length = Int(try #require(Files.status(path)).st_size)
        var bytes = [UInt8](repeating: 0, count: length)
        let descriptor = try Files.open(path, O_RDONLY)
        defer { Glibc.close(descriptor) }
        try #require(read(descriptor, &bytes, length) == length)
        return bytes
    }
}

/// Numbers that a seed repeats (SplitMix64).
private struct Chance {
    var state: UInt64

    mutating func next(_ bound: UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return (mixed ^ mixed >> 31) % bound
    }
}
