import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Checks a plugin against the promises of `vault_plugin.h`: loads it as the vault would, twice, and lets a simulated
/// provider answer it in every way that a provider may.
///
/// Nothing is sent anywhere: the provider is simulated in memory.
public struct Conformance: Sendable {
    private let hostProgram: [String]
    private let isolation: Isolation
    var patience = PluginProcess.Patience(load: .seconds(5), call: .seconds(1), restart: .zero)

    /// - Parameters:
    ///   - hostProgram: what to run as the child, before the file: `vault plugin-host`.
    ///   - isolation: `inProcess` for plugins that are trusted alone: one that crashes takes the caller with it.
    public init(hostProgram: [String], isolation: Isolation = .process) {
        self.hostProgram = hostProgram
        self.isolation = isolation
    }

    /// - Parameter settings: what an operator would write into the platform's section; what is missing is made up.
    public func check(_ file: String, settings: [String: String] = [:]) async -> ConformanceReport {
        var report = ConformanceReport(file: file)
        let path = Self.absolute(file)
        var folder = PluginFolder(path: "", isolation: isolation, hostProgram: hostProgram)
        folder.patience = patience

        let first = await folder.load(file: path)
        report.protections = first.protections
        guard let provider = first.provider else {
            report.fail(
                "file.loads", first.fault?.message ?? "it does not load",
                hint: first.fault?.hint ?? "see what vault_plugin.h asks for")
            return report
        }
        report.provider = provider.description.id
        report.displayName = provider.description.displayName
        report.keep("file.loads", "it loads, and every member of its description is well-formed")
        Self.checkBinary(path, &report)

        // A second one, at another second and in another process: whatever leaks in from there shows.
        await Self.pause()
        let second = await folder.load(file: path)
        let same = second.provider?.description == provider.description
        report.judge(
            "file.constant", "it describes itself the same every time",
            fault: same ? nil : second.fault?.message ?? "its description changes from one load to the next",
            hint: "return one constant: no time, process id, address or environment may be in it")

        let run = ConformanceRun(provider, again: second.provider, settings: settings, pause: Self.pause)
        await run.check(&report)
        return report
    }

    @Sendable private static func pause() async { try? await Task.sleep(for: .milliseconds(1100)) }

    private static func absolute(_ file: String) -> String {
        guard let path = realpath(file, nil) else { return file.hasPrefix("/") ? file : "./\(file)" }
        defer { free(path) }
        return String(cString: path)
    }

    private static func checkBinary(_ path: String, _ report: inout ConformanceReport) {
        guard let bytes = try? PluginFile.read(path, limit: PluginFile.sizeLimit), let binary = PluginBinary(bytes)
        else { return report.skip("file.exports", "its symbols cannot be read") }
        let others = binary.exports.filter { $0 != "vault_plugin_v1" }
        if others.isEmpty {
            report.keep("file.exports", "it exports one symbol")
        } else {
            report.doubt(
                "file.exports", "it also exports \(others.prefix(3).joined(separator: ", "))",
                hint: "build with -fvisibility=hidden, or with a version script like export.map")
        }
        let swift = binary.needs.filter { $0.hasPrefix("libswift") }
        let libraries = binary.needs.filter { name in
            !["libc.", "libm.", "ld-linux", "libgcc_s.", "libpthread.", "libdl.", "libswift"].contains {
                name.hasPrefix($0)
            }
        }
        if !swift.isEmpty {
            report.fail(
                "file.needs", "it needs a shared Swift runtime (\(swift[0]))",
                hint: "build it in Embedded mode, or with -static-stdlib")
        } else if !libraries.isEmpty {
            report.doubt(
                "file.needs", "it needs \(libraries.joined(separator: ", "))",
                hint: "link it statically, or see to it that it is wherever vault runs")
        } else {
            report.keep("file.needs", "it needs the C library alone")
        }
    }
}
