import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

#if canImport(Glibc)
    import Glibc
#endif

/// Flips bits, swaps, blanks and drops pages of a store's file, and looks at each in a process of its own, as
/// `vault check` does: a crash is a finding, and nothing wrong is ever taken for good.
///
/// `VAULT_FAULT_CASES` says how many files are damaged; every one follows from its number.
@Suite(.serialized) struct StoreFaultTests {
    /// What is believed of a store.
    enum Judge: String, Codable {
        /// All that the check says.
        case check
        /// Each value's seal, but not the state: what a vault without set hashes would see.
        case seals
        /// Whatever LMDB hands out: what a vault without seals would see.
        case nothing
    }

    private static var cases: Int { getenv("VAULT_FAULT_CASES").flatMap { Int(String(cString: $0)) } ?? 120 }

    @Test func nothingWrongIsTakenForGood() async throws {
        let outcome = try await run(.check, Self.cases)
        print("store faults: \(outcome.words)")
        #expect(outcome.wrong == [])
        // Otherwise the damage was none, or the crashes were not where they are expected.
        #expect(outcome.found > Self.cases / 10 && outcome.crashes > 0 && outcome.harmless > 0)
        #expect(outcome.lastWords == outcome.crashes)
    }

    @Test(arguments: [Judge.seals, .nothing]) func thisTestWouldNoticeAVaultThatBelievesTooMuch(judge: Judge)
        async throws
    {
        #expect(try await !run(judge, max(Self.cases, 200)).wrong.isEmpty)
    }

    private struct Outcome {
        var found = 0
        var harmless = 0
        var crashes = 0
        var lastWords = 0
        var wrong: [Int] = []
        var words: String {
            "\(found) found, \(crashes) crashes of the child, \(harmless) harmless, \(wrong.count) believed wrongly"
        }
    }

    private func run(_ judge: Judge, _ cases: Int) async throws -> Outcome {
        let folder = try Folder()
        let victim = try await Victim(in: folder)
        var outcome = Outcome()
        var next = 0
        while next < cases {
            try folder.write([], to: "verdicts")
            let result = await #expect(processExitsWith: .failure) {
                [
                    path = folder.path as String, judge = judge.rawValue as String, next = next as Int,
                    cases = cases as Int
                ] in
                try Victim.judgeAll(in: path, Judge(rawValue: judge)!, next..<cases)
                exit(EXIT_FAILURE)
            }
            try #require(result != nil)
            // One byte for each file that was judged; after them the last words of a crash.
            let told = try folder.read("verdicts")
            let verdicts = told.prefix { $0 == 0x66 || $0 == 0x68 || $0 == 0x77 }
            for verdict in verdicts {
                switch verdict {
                case UInt8(ascii: "f"): outcome.found += 1
                case UInt8(ascii: "h"): outcome.harmless += 1
                default: outcome.wrong.append(next)
                }
                next += 1
            }
            if next < cases {
                outcome.crashes += 1
                if told.count == verdicts.count + CheckPlace.size { outcome.lastWords += 1 }
                next += 1
            }
        }
        withExtendedLifetime(victim) {}
        return outcome
    }
}

/// A store that is damaged again and again.
private struct Victim {
    static let users = 150

    /// Leaves `good`, `key` and the store in the folder.
    init(in folder: Folder) async throws {
        let store = try LMDBStore.create(at: folder.path + "/store")
        let bench = try await Bench(store)
        // Changed in many steps, so that the file keeps older pages too: the ones a page fault may bring back.
        for round in 0..<3 {
            for user in stride(from: round % 2, to: Self.users, by: round + 1) {
                try await bench.put(
                    bench.connection(
                        "user-\(user)", token: "token-\(user)-\(round)", endsAt: bench.now + .seconds(9999)))
            }
        }
        let expected = try Self.contents(bench.store)
        await store.close()
        try folder.write(try Folder.read(folder.path + "/store/data.mdb"), to: "good")
        try folder.write(bench.key.withBytes { Array($0) }, to: "key")
        try folder.write(expected, to: "expected")
    }

    /// Every record's key and value as LMDB hands them out, one after another.
    private static func contents(_ store: any Store) throws -> [UInt8] {
        var all: [UInt8] = []
        try store.read { transaction in
            try transaction.scan(.records, from: RawSpan()) { key, value in
                key.withUnsafeBytes { all += $0 }
                value.withUnsafeBytes { all += $0 }
                return all.count < 1 << 20
            }
        }
        return all
    }

    /// Judges each file and writes a byte about it: found, harmless or wrong. May crash.
    static func judgeAll(in path: String, _ judge: StoreFaultTests.Judge, _ cases: Range<Int>) throws {
        let good = try Folder.read(path + "/good")
        let expected = try Folder.read(path + "/expected")
        let key = try Folder.read(path + "/key").withUnsafeBytes { try GuardedKey(copying: $0) }
        let verdicts = open(path + "/verdicts", O_WRONLY | O_APPEND)
        let store = path + "/store"
        CheckPlace().announceCrash(to: verdicts)
        for number in cases {
            let damaged = damage(good, number)
            unlink(store + "/lock.mdb")
            let descriptor = open(store + "/data.mdb", O_WRONLY | O_TRUNC)
            guard Glibc.write(descriptor, damaged, damaged.count) == damaged.count else { return }
            close(descriptor)
            // A walk in a circle would be a finding of the parent's patience.
            alarm(60)
            let isBelieved: Bool
            var isExpected = false
            do {
                let snapshot = try LMDBSnapshot(at: store, owned: true)
                isExpected = try contents(snapshot) == expected
                switch judge {
                case .nothing: isBelieved = true
                case .seals:
                    try Records.open(snapshot, rootKey: key).forEachConnection { _ in true }
                    isBelieved = true
                case .check:
                    isBelieved = try Records.open(snapshot, rootKey: key).verify().isSound
                }
            } catch { isBelieved = false }
            let verdict = isBelieved ? (isExpected ? "h" : "w") : "f"
            _ = Glibc.write(verdicts, verdict, 1)
        }
    }

    /// The file with damage number `number`.
    private static func damage(_ good: [UInt8], _ number: Int) -> [UInt8] {
        var chance = Chance(state: UInt64(number) &* 7919 &+ 1)
        var file = good
        let pages = good.count / 4096
        let page = Int(chance.next(UInt64(pages))) * 4096
        switch number % 8 {
        case 0, 1:  // a bit anywhere
            file[Int(chance.next(UInt64(good.count)))] ^= 1 << chance.next(8)
        case 2:  // a bit of a page's header or its list of places
            file[page + Int(chance.next(64))] ^= 1 << chance.next(8)
        case 3:  // a bit of a meta page
            file[Int(chance.next(2)) * 4096 + Int(chance.next(160))] ^= 1 << chance.next(8)
        case 4:  // a page never written
            file.replaceSubrange(page..<page + 4096, with: [UInt8](repeating: 0, count: 4096))
        case 5, 6:  // a page in another's place
            let other = Int(chance.next(UInt64(pages))) * 4096
            file.replaceSubrange(page..<page + 4096, with: good[other..<other + 4096])
        default:  // an end that is missing
            file.removeSubrange(Int(chance.next(UInt64(good.count)))...)
        }
        return file
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
