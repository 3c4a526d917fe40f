import VaultBase
import VaultStore

/// What a recount found.
public struct RecountResult: Sendable, Equatable {
    /// How many values there are, all of which open.
    public var values: Int
    /// Whether what was counted before said something else.
    public var changed: Bool

    public init(values: Int, changed: Bool) {
        self.values = values
        self.changed = changed
    }
}

extension Records {
    /// Counts the tables anew and writes the state so: after damage was looked at and removed.
    ///
    /// A damaged header goes out of the vault's hash as something that never went in, so that the hash stays wrong when
    /// the record was replaced. What is missing stays missing; from then on nobody can tell that it is. The change log
    /// does not lead back to what was counted before, so the next backup is a full one.
    ///
    /// One transaction that opens every value: others wait, about three seconds for a million of them.
    /// - Throws: `damaged`, and changes nothing, while a value does not open.
    @discardableResult
    public func recount() async throws -> RecountResult {
        try await write(for: .shrinking) { records in
            var values = 0
            let tally = try Tally(records.transaction, records.keys) { table, key, value in
                values += 1
                do {
                    _ = try SealedValue(naming: table, key, value, records.keys)
                } catch let error as VaultError {
                    throw VaultError(
                        .damaged, "nothing was counted anew: \(table.table.rawValue): \(error.message)",
                        hint: "mend or delete what vault check names, then: vault check --recount", cause: error)
                }
            }
            let changed = !tally.matches(records.state)
            if changed { records.recount(tally) }
            return RecountResult(values: values, changed: changed)
        }
    }
}

extension RecordsTransaction {
    fileprivate func recount(_ tally: Tally) {
        var new = state
        new.tables = tally.tables
        new.terms = tally.terms.sorted { $0.key < $1.key }.map { (id: $0.key, count: $0.value) }
        new.sequence += 1
        setState(new)
    }
}
