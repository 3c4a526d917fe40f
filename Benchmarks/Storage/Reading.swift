import VaultBase
import VaultRecords
import VaultStore

enum Reading {
    static func read(_ path: String, records count: Int, seconds: Double, threads: Int) async throws {
        let records = try Place.openVault(path)
        let (start, processor) = (Measure.now(), Measure.processorTime())
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            for thread in 0..<threads {
                group.addTask {
                    var random = SmallRandom(thread)
                    var done = 0
                    while Measure.now() < start + seconds {
                        for _ in 0..<64 {
                            try getAndOpen(random.next(below: count), records)
                            done += 1
                        }
                    }
                    return done
                }
            }
            return try await group.reduce(0, +)
        }
        Measure.report("rate", Double(done) / (Measure.now() - start))
        Measure.report("cpu_us", (Measure.processorTime() - processor) / Double(done) * 1e6)
        await records.store.close()
    }

    /// One after the other, each by the clock.
    static func latency(_ path: String, records total: Int, count: Int) async throws {
        let records = try Place.openVault(path)
        var random = SmallRandom()
        var times: [Double] = []
        times.reserveCapacity(count)
        for _ in 0..<count {
            let user = random.next(below: total)
            let start = Measure.now()
            try getAndOpen(user, records)
            times.append(Measure.now() - start)
        }
        times.sort()
        Measure.report("p50_us", Measure.percentile(times, 50) * 1e6)
        Measure.report("p99_us", Measure.percentile(times, 99) * 1e6)
        await records.store.close()
    }

    /// In order of key, every value opened.
    static func scan(_ path: String) async throws {
        let records = try Place.openVault(path)
        let start = Measure.now()
        var done = 0
        try records.forEachConnection { _ in
            done += 1
            return true
        }
        Measure.report("rate", Double(done) / (Measure.now() - start))
        await records.store.close()
    }

    /// As a token read does: what is handed out becomes values, the rest is authenticated and wiped.
    private static func getAndOpen(_ number: Int, _ records: Records) throws {
        let user = Sample.user(2 * number)
        let (token, _) = try records.token(of: user, at: Sample.platform)
        guard token != nil else { throw VaultError(.noConnection, "\(user) is not there") }
    }
}
