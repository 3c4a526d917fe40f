import Testing
import VaultBase
import VaultRecords
import VaultStore

/// A store that was put back whole to an earlier state is good in itself: only an anchor shows it.
@Suite struct AnchorTests {
    private func anchor(_ bench: Bench) throws -> CheckAnchor { try CheckAnchor(bench.records.status().anchor) }

    @Test func anAnchorHoldsForTheVaultItCameFrom() async throws {
        let bench = try await Bench()
        try await bench.put(bench.connection())
        let first = try anchor(bench)
        #expect(first.fault(at: try anchor(bench)) == nil)
        #expect(try CheckAnchor(first.text) == first)
        #expect(try anchor(bench) == CheckAnchor(bench.reopened().verify().status.anchor))
        try await bench.put(bench.connection("bob"))
        #expect(first.fault(at: try anchor(bench)) == nil)
    }

    @Test func aWholeStorePutBackIsNoticed() async throws {
        let bench = try await Bench()
        try await bench.put(bench.connection())
        let tables = try Table.allCases.map { ($0, try bench.rows($0)) }
        try await bench.put(bench.connection("bob"))
        let anchor = try anchor(bench)
        for (table, rows) in tables {
            for row in try bench.rows(table) {
                try await bench.store.write { _ = try $0.delete(row.0.span.bytes, in: table) }
            }
            for row in rows { try await bench.set(row.1, for: row.0, in: table) }
        }
        // Everything in it is good.
        let report = try bench.reopened().verify()
        #expect(report.isSound)
        #expect(anchor.fault(at: try CheckAnchor(report.status.anchor))?.contains("put back") == true)
    }

    @Test func anotherVaultAtTheSameSequenceIsNoticed() async throws {
        let (one, other) = (try await Bench(), try await Bench())
        for bench in [one, other] { try await bench.put(bench.connection()) }
        #expect(try anchor(one).sequence == anchor(other).sequence)
        #expect(try anchor(one).fault(at: anchor(other)) != nil)
    }

    @Test(arguments: ["", "1", "1:", ":", "x:00112233445566778899aabbccddeeff", "1:0011", "1:zz", "-1:00:11"])
    func nothingElseIsAnAnchor(text: String) {
        #expect(throws: VaultError.self) { _ = try CheckAnchor(text) }
    }
}
