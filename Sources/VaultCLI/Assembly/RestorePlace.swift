import Glibc
import VaultBase
import VaultRecords
import VaultStore

/// Where a restored vault goes: a directory that is not there yet, or the place of one that is.
struct RestorePlace {
    let path: String
    private let replaces: Bool
    /// Keeps servers and commands out of the vault that is to be replaced.
    private let claim: StoreClaim?

    static let mark = ".restoring-"

    /// - Throws: `conflict` when something is there.
    init(new path: String) throws(VaultError) {
        guard !FilePath.exists(path) else {
            throw VaultError(
                .conflict, "\(path) is there already", hint: "restore into a new directory, or use --replace")
        }
        self.path = path
        replaces = false
        claim = nil
    }

    /// - Throws: `locked` when a server or a command has the vault there.
    init(replacing store: String) throws(VaultError) {
        path = FilePath.resolved(FilePath.absolute(store))
        replaces = FilePath.exists(path)
        guard replaces else {
            claim = nil
            return
        }
        do {
            claim = try StoreClaim(at: path)
        } catch  where error.code == .locked {
            throw VaultError(
                .locked, "\(error.message), and restoring puts another vault in its place",
                hint: "stop it, restore, and start it again; one user's connections need no stop: --user")
        }
    }

    /// What would be done.
    var plan: String {
        replaces ? "would replace \(path), which would be kept beside it" : "would become \(path)"
    }

    /// Makes the vault under another name, so that one that stops half way never looks like a vault, then puts
    /// it into its place.
    ///
    /// - Returns: what `load` says, and where the old vault is now.
    func fill<R: Sendable>(
        options: LMDBStore.Options, _ load: (LMDBStore) async throws -> R
    ) async throws -> (R, kept: String?) {
        Leftovers.remove(of: path, mark: Self.mark) { StoreFolder.remove($0) }
        let working = "\(path)\(Self.mark)\(getpid())"
        do {
            let store = try LMDBStore.create(at: working, options: options)
            let result: R
            do {
                result = try await load(store)
                await store.close()
            } catch {
                await store.close()
                throw error
            }
            return (result, try publish(working))
        } catch {
            StoreFolder.remove(working)
            throw error
        }
    }

    private func publish(_ working: String) throws(VaultError) -> String? {
        guard replaces else {
            guard !FilePath.exists(path), rename(working, path) == 0 else {
                throw VaultError(.conflict, "\(path): \(systemWords(errno))", hint: "restore into a new directory")
            }
            StoreFolder.flush(directoryOf: path)
            return nil
        }
        let moment = SystemClock().now().iso8601.filter { $0 != "-" && $0 != ":" }
        var (kept, number) = ("\(path)\(StoreFolder.keptMark)\(moment)", 1)
        while FilePath.exists(kept) {
            number += 1
            kept = "\(path)\(StoreFolder.keptMark)\(moment)-\(number)"
        }
        try StoreFolder.replace(path, with: working, keeping: kept)
        claim?.release()
        return kept
    }
}
