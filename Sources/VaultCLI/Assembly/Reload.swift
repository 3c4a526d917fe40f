import Logging
import ServiceLifecycle
import UnixSignals
import VaultBase

/// Reads the settings again on SIGHUP and says what changed: all of them take effect at the next start.
///
/// It never stops a server: settings that are wrong are told, and the running ones stay.
struct Reload: Service {
    /// The settings the server runs with.
    let running: Settings
    let options: CommonOptions
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                report(try options.settings())
            } catch {
                logger.error(
                    "the new settings are wrong, the old ones stay: \(error.message)",
                    metadata: ["hint": "\(error.hint ?? "")"])
            }
        }
    }

    private func report(_ new: Settings) {
        let changed = Self.changes(from: running, to: new)
        guard !changed.isEmpty else { return logger.notice("the settings are as they were") }
        logger.notice(
            "settings changed: they take effect at the next start",
            metadata: ["settings": "\(changed.joined(separator: " "))"])
    }

    /// The paths whose values differ, in order; what this server chose for itself is not a change.
    static func changes(from old: Settings, to new: Settings) -> [String] {
        var paths: Set<String> = []
        for path in Set(old.entries.keys).union(new.entries.keys) {
            let (before, after) = (old.entries[path], new.entries[path])
            if case .option? = before?.origin { continue }
            if before?.raw != after?.raw { paths.insert(path) }
        }
        let sections = { (settings: Settings) in
            Dictionary(uniqueKeysWithValues: settings.platforms.map { ($0.name, $0) })
        }
        let (before, after) = (sections(old), sections(new))
        for name in Set(before.keys).union(after.keys) {
            let values = { (section: PlatformSection?) in section.map { $0.entries.mapValues(\.raw) } }
            let parameters = { (section: PlatformSection?) in section.map { $0.parameters.mapValues(\.value) } }
            if values(before[name]) != values(after[name]) || parameters(before[name]) != parameters(after[name]) {
                paths.insert("platforms.\(name)")
            }
        }
        return paths.sorted()
    }
}
