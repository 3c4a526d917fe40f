import Synchronization
import VaultBase
import VaultCrypto
import VaultStore

/// How a rotation of the data keys stands.
public struct RotationStatus: Sendable, Equatable {
    /// In order of their numbers; the active one seals what is written.
    public var terms: [VaultStatus.Term]
    /// Values, of all kinds.
    public var total: Int

    public var active: VaultStatus.Term? { terms.first { $0.state == "active" } }
    /// Whether one was begun and not finished: an older term's key is still there.
    public var isUnfinished: Bool { terms.contains { $0.state == "readable" } }
    /// Values that older terms still seal.
    public var remaining: Int { terms.reduce(0) { $0 + ($1.state == "active" ? 0 : $1.values) } }
}

/// What a rotation did.
public struct RotationResult: Sendable, Equatable {
    /// The term that seals from now on.
    public var term: UInt32
    /// Whether it went on with one that was begun before.
    public var resumed: Bool
    public var resealed: Int
    /// The terms whose keys are gone.
    public var destroyed: [UInt32]
    /// What does not open, for which the old keys were kept.
    public var damaged: [CheckReport.Problem]
}

// A rotation is a row of transactions, after each of which every value opens:
//
//   1  a new term is added to the keyring and seals from then on
//   2  values of older terms are sealed again, some hundred at a time, with a mark of how far that came
//   3  everything is read back: all of it opens, all of it under the new term, all of it is what was counted
//   4  the keys of the older terms are taken out of the keyring
//
// Stopped anywhere, the next call goes on: a keyring with an older term's key is an unfinished rotation.

extension Records {
    /// How the terms stand; costs the same however large the vault is.
    public func rotationStatus() throws -> RotationStatus {
        let status = try status()
        return RotationStatus(terms: status.terms, total: status.terms.reduce(0) { $0 + $1.values })
    }

    /// Gives the vault a new data key, seals everything with it and destroys the old one; the vault goes on meanwhile.
    ///
    /// Goes on with a rotation that was not finished instead of beginning another. Other writers come first:
    /// each step is one small transaction, and waits while others do.
    ///
    /// - Parameters:
    ///   - progress: told how many of how many values are done; each counts twice, once sealed and once read back.
    /// - Throws: `conflict` while another rotation runs; `CancellationError` between two steps. What does not
    ///   open is in the result, and then the old keys stay.
    public func rotate(
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> RotationResult {
        try await rotate(progress: progress) { _ in }
    }

    /// A moment between two transactions of a rotation.
    package enum RotationStep: Sendable, Equatable { case added, resealed, readBack, destroyed }

    /// The same; `pause` runs after each step.
    package func rotate(
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void,
        pause: @Sendable (RotationStep) async throws -> Void
    ) async throws -> RotationResult {
        guard isRotating.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else {
            throw VaultError(.conflict, "a rotation is under way", hint: "follow it with: vault rotate --status")
        }
        defer { isRotating.store(false, ordering: .releasing) }
        let before = try rotationStatus()
        if !before.isUnfinished {
            try await addTerm()
            try await pause(.added)
        }
        let old = keys.keyring.terms.filter { $0.state == .readable }.map(\.id)
        var result = RotationResult(
            term: keys.active, resumed: before.isUnfinished, resealed: 0, destroyed: [], damaged: [])
        var looked = 0
        // A mark of an earlier call may have passed by something restored or written since: then once more.
        for _ in 0..<2 {
            while true {
                try Task.checkCancellation()
                let step = try await resealNext()
                looked += step.looked
                result.resealed += step.resealed
                progress(min(looked, before.total), 2 * before.total)
                try await pause(.resealed)
                if step.isAtEnd { break }
                if try store.statistics().waiting > 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
            if try rotationStatus().remaining == 0 { break }
        }
        result.damaged = try await Blocking.run { [self] in
            try readBack { done in progress(before.total + min(done, before.total), 2 * before.total) }
        }
        guard result.damaged.isEmpty else { return result }
        try await pause(.readBack)
        let active = keys.active
        try await changeKeyring { keyring in
            for id in old { try keyring.destroyTerm(id) }
        } holding: { state in
            // Whatever was written since the reading is sealed by the active term; the count is the last word.
            guard state.terms.allSatisfy({ $0.id == active }) else {
                throw VaultError(
                    .conflict, "something is still sealed by an old key, which stays",
                    hint: "run it again: vault rotate")
            }
        }
        result.destroyed = old
        try await pause(.destroyed)
        return result
    }

    /// Adds a term. This process can open with it before anybody can find it on the disk.
    private func addTerm() async throws {
        let now = now
        var keyring = keys.keyring
        try keyring.addTerm(at: now)
        let (renewed, generation) = (keyring, keys.keyring.generation)
        let before = keys
        install(before.reading(VaultKeys(renewed)))
        do {
            try await changeKeyring { keyring in
                guard keyring.generation == generation else {
                    throw VaultError(.conflict, "the keys are being changed by another command", hint: "try again")
                }
                keyring = renewed
            }
        } catch {
            if keys.keyring.generation == generation { install(before) }
            throw error
        }
    }

    /// Opens every value on one snapshot; what does not open, is not sealed by the active term or was not counted.
    private func readBack(_ progress: (Int) -> Void) throws -> [CheckReport.Problem] {
        try read { records in
            let keys = records.keys
            let state = try VaultState.load(records.transaction, keys)
            var problems: [CheckReport.Problem] = []
            var done = 0
            let tally = try Tally(records.transaction, keys) { table, key, value in
                do {
                    let opened = try SealedValue(table, key, value, keys)
                    if opened.header.term != keys.active {
                        throw VaultError(.damaged, "it is sealed by term \(opened.header.term) still")
                    }
                } catch let error as VaultError {
                    let name = table == .records || table == .journal ? Key.names(key) : nil
                    problems.append(
                        .init(kind: .damaged, name: name, message: "\(table.table.rawValue): \(error.message)"))
                }
                done += 1
                if done % 1024 == 0 { progress(done) }
            }
            progress(done)
            if problems.isEmpty, !tally.matches(state) {
                problems.append(
                    .init(kind: .contents, name: nil, message: "the values are not those that were written"))
            }
            return problems
        }
    }
}
