import Glibc
import VaultBase
import VaultProviders

/// `plugin-bench load FOLDER ISOLATION HOST` and `plugin-bench call FOLDER ISOLATION HOST`, HOST being the vault whose
/// `plugin-host` a plugin runs in.
@main struct Main {
    static func main() async {
        let words = CommandLine.arguments
        guard words.count == 5, let isolation = Isolation(rawValue: words[3]) else {
            print("plugin-bench load|call FOLDER process|in-process HOST")
            exit(64)
        }
        do {
            let folder = PluginFolder(path: words[2], isolation: isolation, hostProgram: [words[4], "plugin-host"])
            try await words[1] == "load" ? load(folder) : call(folder)
        } catch {
            print("plugin-bench: error: \(error)")
            exit(1)
        }
    }

    /// All plugins of the folder.
    private static func load(_ folder: PluginFolder) async throws {
        let start = ContinuousClock.now
        let reports = await folder.load()
        let took = ContinuousClock.now - start
        if let fault = reports.lazy.compactMap(\.fault).first { throw fault }
        print("ms", took / .milliseconds(1))
        print("plugins", reports.count)
    }

    /// The first plugin's hook, one call after the other.
    private static func call(_ folder: PluginFolder) async throws {
        guard let hooks = await folder.load().first?.provider?.hooks else {
            throw VaultError(.plugin, "the first plugin has no hooks")
        }
        let request = ProviderRequest(
            method: "POST", url: "https://bench0.example/token", headers: [("Accept", "application/json")],
            body: Array("grant_type=refresh_token&refresh_token=r".utf8))
        let context = HookContext(now: SystemClock().now(), scope: "profile", clientID: "client")
        var times: [Duration] = []
        for _ in 0..<5000 {
            let start = ContinuousClock.now
            guard try await hooks.prepare(.refresh, request, context).headers.count == 1 else {
                throw VaultError(.plugin, "the hook did not do what it does")
            }
            times.append(ContinuousClock.now - start)
        }
        times.sort()
        print("p50_us", times[times.count / 2] / .microseconds(1))
        print("p99_us", times[times.count * 99 / 100] / .microseconds(1))
    }
}
