import VaultBase
import VaultRecords
import VaultStore

enum Upkeep {
    static func rotate(_ path: String) async throws {
        let records = try Place.openVault(path)
        let start = Measure.now()
        let result = try await records.rotate()
        Measure.report("rate", Double(result.resealed) / (Measure.now() - start))
        await records.store.close()
    }

    /// In steps of 256, as the server does between users' writes.
    static func sweep(_ path: String, count: Int) async throws {
        let records = try Place.openVault(path)
        let (start, processor) = (Measure.now(), Measure.processorTime())
        var done = 0
        while done < count {
            let swept = try await records.sweep(grace: .zero, limit: min(256, count - done), dryRun: false)
            guard !swept.connections.isEmpty else { throw VaultError(.badRequest, "not enough has ended") }
            done += swept.connections.count
        }
        Measure.report("us", (Measure.now() - start) / Double(done) * 1e6)
        Measure.report("cpu_us", (Measure.processorTime() - processor) / Double(done) * 1e6)
        await records.store.close()
    }
}
