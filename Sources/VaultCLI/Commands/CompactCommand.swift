import ArgumentParser
import Glibc
import VaultBase
import VaultRecords
import VaultStore

/// `vault compact`
struct CompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact", abstract: "Write the store anew, without what was deleted or replaced.",
        discussion: """
            vault compact
            vault compact --keep           leave the old store beside the new one

            Pages of the file that are free still hold the sealed bytes that were there. The new store is
            written beside the old one, read back whole, and takes its place in one step; then the old one
            is removed. The server must be stopped. It needs room for a second store.
            """)

    @Flag(help: "Keep the old store, under a name that is printed.") var keep = false
    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        let path = FilePath.resolved(FilePath.absolute(settings[\.storePath]))
        if await SocketAdministration.answers(store: settings[\.storePath]) { throw Self.served(path) }
        let source = try RootKeySource(settings, environment: environment)
        let store: LMDBStore
        do {
            try StoreFolder.checkReplacement(of: path, .noStore)
            store = try LMDBStore.open(at: path, options: OpenVault.storeOptions(settings))
        } catch let error as VaultError where error.code == .locked { throw Self.served(path) }
        do {
            let unlock = try source.fetch(environment: environment)
            let answer = try await compact(path, store, Records.open(store, with: unlock), settings)
            await store.close()
            if output.json { return try Terminal.answer(JSON.line(answer)) }
            try Terminal.answer(
                "\(answer.store)  compacted  \(Sizes.words(answer.bytesBefore)) before, \(Sizes.words(answer.bytesAfter)) now"
            )
            if let old = answer.old { try Terminal.answer("\(old)  the old store") }
        } catch {
            await store.close()
            throw error
        }
    }

    private func compact(
        _ path: String, _ store: LMDBStore, _ records: Records, _ settings: Settings
    ) async throws -> Answer {
        // We own the store, so nobody else is compacting it: these are of one that was cut off.
        StoreFolder.removeLeftovers(of: path)
        let working = StoreFolder.working(path)
        let bar = ProgressBar("compact")
        defer { bar.end() }
        let before = try store.statistics().fileBytes
        let fresh = try LMDBStore.create(at: working, options: OpenVault.storeOptions(settings))
        do {
            try await records.copy(into: fresh) { done, total in bar.show(done, of: total) }
            let after = try fresh.statistics().fileBytes
            // Both are still ours here: nobody can open one of them between the copy and the exchange.
            try StoreFolder.exchange(path, working)
            await fresh.close()
            var kept: String?
            if keep {
                let name = "\(path)\(StoreFolder.keptMark)\(SystemClock().now().rawValue / 1000)"
                if rename(working, name) == 0 { kept = name } else { kept = working }
            } else {
                await store.close()
                StoreFolder.remove(working)
            }
            return Answer(store: path, bytesBefore: before, bytesAfter: after, old: kept)
        } catch {
            await fresh.close()
            StoreFolder.remove(working)
            throw error
        }
    }

    private static func served(_ path: String) -> VaultError {
        VaultError(
            .locked, "a server has the vault at \(path) open, and compacting puts a new store in its place",
            hint: "stop the server, run vault compact, and start it again")
    }

    private struct Answer: Encodable {
        var store: String
        var bytesBefore: Int
        var bytesAfter: Int
        /// Where the old store is now; nil when it was removed.
        var old: String?
    }
}
