import VaultBase
import VaultRecords
import VaultStore

enum Writing {
    static func put(_ path: String, records count: Int, seconds: Double, writers: Int, size: Int) async throws {
        let records = try Place.openVault(path)
        let before = try records.store.statistics()
        let (start, processor) = (Measure.now(), Measure.processorTime())
        var times = try await withThrowingTaskGroup(of: [Double].self) { group in
            for writer in 0..<writers {
                group.addTask {
                    var random = SmallRandom(writer)
                    var times: [Double] = []
                    while true {
                        let begun = Measure.now()
                        guard begun < start + seconds else { return times }
                        let connection = Sample.connection(
                            2 * random.next(below: count), size: size, now: SystemClock().now())
                        _ = try await records.write { try $0.put(connection, expecting: nil) }
                        times.append(Measure.now() - begun)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        Measure.report("rate", Double(times.count) / (Measure.now() - start))
        Measure.report("cpu_us", (Measure.processorTime() - processor) / Double(times.count) * 1e6)
        times.sort()
        Measure.report("p50_ms", Measure.percentile(times, 50) * 1e3)
        Measure.report("p99_ms", Measure.percentile(times, 99) * 1e3)
        let after = try records.store.statistics()
        Measure.report("batch", Double(after.operations - before.operations) / Double(after.commits - before.commits))
        await records.store.close()
    }
}
