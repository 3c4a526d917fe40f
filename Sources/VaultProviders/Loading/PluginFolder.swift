import Synchronization
public import VaultBase

/// Where a plugin's code runs.
public enum Isolation: String, Sendable, CaseIterable {
    /// In a child process without network, files or privileges. The default.
    case process
    /// In this process, for plugins that are trusted like this program.
    case inProcess = "in-process"
}

/// What became of one `.so`: a provider, or the reason it is none; both when an earlier file goes on being used,
/// neither while nobody has looked.
public struct PluginReport: Sendable {
    public var path: String
    /// nil when it could not be used.
    public var provider: Provider?
    public var fault: VaultError?
    public var isolation: Isolation
    /// The protections that are active for it, for `vault plugins` ("seccomp", "landlock", …); what the kernel refused
    /// is not among them.
    public var protections: [String]
    /// The file as it was before it was loaded.
    var identity: PluginFile.Identity?

    /// What its code could do although it is in a process of its own, as this system lacks a protection; in words that
    /// follow its name.
    public var openings: [String] {
        provider == nil || isolation == .inProcess ? [] : Protection.openings(besides: protections)
    }

    public var fileName: String { Paths.name(of: path) }

    /// Whether both tell of the same file and say the same of it.
    public func isSame(as other: PluginReport) -> Bool {
        path == other.path && identity == other.identity && fault?.message == other.fault?.message
            && provider?.description == other.provider?.description
    }
}

/// Loads every `.so` of a folder.
///
/// Degrade, never brick: an unusable plugin becomes a report with its fault; the others load.
public struct PluginFolder: Sendable {
    private let path: String
    private let isolation: Isolation
    private let isolations: [String: Isolation]
    private let hostProgram: [String]
    private let pins: [String: String]
    private let sha256: (@Sendable ([UInt8]) -> [UInt8])?
    var patience = PluginProcess.Patience()

    /// - Parameters:
    ///   - isolations: what holds for some providers, by id, in place of `isolation`.
    ///   - hostProgram: what to run as the child, before the file: `vault plugin-host`; needed for `process`.
    ///   - pins: file name → SHA-256 in hexadecimal; a file that is named here must be these bytes.
    ///   - sha256: needed for pins: this target has no cryptography of its own.
    public init(
        path: String, isolation: Isolation, isolations: [String: Isolation] = [:], hostProgram: [String],
        pins: [String: String] = [:], sha256: (@Sendable ([UInt8]) -> [UInt8])? = nil
    ) {
        self.path = path
        self.isolation = isolation
        self.isolations = isolations
        self.hostProgram = hostProgram
        self.pins = pins
        self.sha256 = sha256
    }

    /// One report for each `.so`, in order of name; a single one with a fault for a folder that cannot be used, and one
    /// for each pinned file that is not there.
    ///
    /// - Parameters:
    ///   - earlier: what an earlier load gave. A file that is the same goes on as it is, with its child. In this
    ///     process a changed file cannot replace the one whose code runs here: that one stays, with a fault that says so.
    ///   - wanted: the names of the only files to look at; nil for all. The others have a report that says nothing.
    public func load(keeping earlier: [PluginReport] = [], only wanted: Set<String>? = nil) async -> [PluginReport] {
        let all: [String]
        do throws(VaultError) { all = try PluginFile.list(path) } catch { return [report(path, fault: error)] }
        let names = all.filter { wanted?.contains($0) ?? true }

        let path = path
        let earlier = Dictionary(
            earlier.filter { $0.provider != nil }.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        // Each waits for its own child: one that hangs costs its own patience and nobody else's.
        var reports = await withTaskGroup(of: PluginReport.self) { group in
            for name in names where expected(name) == .process {
                group.addTask { await load(file: "\(path)/\(name)", keeping: earlier["\(path)/\(name)"]) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for name in names where expected(name) == .inProcess {
            reports.append(await load(file: "\(path)/\(name)", keeping: earlier["\(path)/\(name)"]))
        }
        let order = Dictionary(uniqueKeysWithValues: names.enumerated().map { ("\(path)/\($1)", $0) })
        reports.sort { order[$0.path, default: 0] < order[$1.path, default: 0] }
        for name in pins.keys.sorted() where !all.contains(name) {
            let fault = VaultError(
                .plugin, "it is pinned and not there", hint: "copy \(name) to \(path), or remove its pin")
            reports.append(report("\(path)/\(name)", fault: fault))
        }
        Self.refuseDoubles(&reports)
        reports += all.filter { !names.contains($0) }.map { report("\(path)/\($0)", fault: nil) }
        return reports
    }

    /// One file by itself, wherever it is.
    func load(file: String, keeping earlier: PluginReport? = nil) async -> PluginReport {
        do throws(VaultError) {
            let identity = PluginFile.Identity(file)
            try check(file)
            if var earlier, let id = earlier.provider?.description.id, earlier.isolation == isolation(of: id) {
                if earlier.identity == identity {
                    earlier.fault = nil
                    return earlier
                }
                if earlier.isolation == .inProcess {
                    earlier.fault = VaultError(
                        .plugin, "it changed on disk; the one that was loaded before is used",
                        hint: "restart vault: code that runs in its own process cannot be replaced")
                    return earlier
                }
            }
            var report = try await load(file, identity)
            report.identity = identity
            return report
        } catch {
            return report(file, fault: error)
        }
    }

    private func load(_ file: String, _ identity: PluginFile.Identity?) async throws(VaultError) -> PluginReport {
        let name = Paths.name(of: file)
        if expected(name) == .process {
            let report = try await loadProcess(file, identity)
            guard let id = report.provider?.description.id, isolation(of: id) == .inProcess else { return report }
        }
        let report = try await loadHere(file)
        guard let id = report.provider?.description.id, isolation(of: id) == .process else { return report }
        throw VaultError(
            .plugin, "it has the name of a provider that is trusted to run in vault itself, and provides \(id)",
            hint: "name it \(id).so")
    }

    /// Where the code of a provider runs.
    private func isolation(of id: String) -> Isolation { isolations[id] ?? isolation }

    /// Where a file is loaded first. One that has not the name of its provider may be of any: it tells which, in a
    /// process of its own, where one of them is held otherwise than the rest.
    private func expected(_ name: String) -> Isolation {
        isolations[name.hasSuffix(".so") ? String(name.dropLast(3)) : name]
            ?? (isolations.isEmpty ? isolation : .process)
    }

    private func check(_ file: String) throws(VaultError) {
        try PluginFile.check(file)
        let bytes = try PluginFile.read(file, limit: PluginFile.sizeLimit)
        try checkPin(file, bytes)
        // What is no plugin is not run to find that out. One whose symbols cannot be read may still be one.
        if PluginBinary(bytes)?.exports.contains(PluginImage.symbol) == false { throw PluginImage.noSymbol }
    }

    private func loadProcess(
        _ file: String, _ identity: PluginFile.Identity?
    ) async throws(VaultError) -> PluginReport {
        let process = PluginProcess(file, hostProgram: hostProgram, patience: patience) { () throws(VaultError) in
            guard PluginFile.Identity(file) == identity else {
                throw VaultError(
                    .plugin, "the plugin \(Paths.name(of: file)) changed on disk",
                    hint: "take in what is there now: vault plugins reload")
            }
            do throws(VaultError) { try check(file) } catch {
                throw VaultError(
                    .plugin, "the plugin \(Paths.name(of: file)) is not started again: \(error.message)",
                    hint: "\(error.hint ?? "see: vault plugins"), then: vault plugins reload")
            }
        }
        let said = try await process.describe()
        let description = try DescriptionReader.read(said.raw)
        let hooks = description.hasPrepareHook || description.hasParseHook ? ProcessHooks(process: process) : nil
        var report = report(file, fault: nil, .process)
        report.provider = Provider(description: description, hooks: hooks)
        report.protections = said.protections
        return report
    }

    private func loadHere(_ file: String) async throws(VaultError) -> PluginReport {
        // The loader knows a file by its path: another one there would silently be the old code.
        let identity = PluginFile.Identity(file)
        guard
            Self.mapped.withLock({ mapped in
                if mapped[file] == nil { mapped[file] = identity }
                return mapped[file] == identity
            })
        else {
            throw VaultError(
                .plugin, "another file was loaded from there before",
                hint: "restart vault: code that runs in its own process cannot be replaced")
        }
        // Not on Swift's thread pool: initialisers may take their time.
        let image = try await Worker().run {
            Result { () throws(VaultError) in
                var image = try PluginImage(file)
                try image.describe()
                return image
            }
        }.get()
        let description = try DescriptionReader.read(image.raw)
        var report = report(file, fault: nil, .inProcess)
        report.provider = Provider(
            description: description, hooks: image.hasHooks ? ImageHooks(image, patience: patience.call) : nil)
        return report
    }

    /// Every file that was loaded into this process.
    private static let mapped = Mutex<[String: PluginFile.Identity]>([:])

    private func checkPin(_ file: String, _ bytes: [UInt8]) throws(VaultError) {
        let name = Paths.name(of: file)
        guard let pin = pins[name] else { return }
        guard let sha256 else { throw VaultError(.internal, "its pin cannot be checked: there is no SHA-256 here") }
        guard let wanted = Hex.decode(pin), wanted == sha256(bytes) else {
            throw VaultError(
                .plugin, "it is not the file that is pinned",
                hint: "if you replaced it, set its pin to: sha256sum \(file)")
        }
    }

    private func report(_ path: String, fault: VaultError?, _ isolation: Isolation? = nil) -> PluginReport {
        PluginReport(
            path: path, provider: nil, fault: fault, isolation: isolation ?? expected(Paths.name(of: path)),
            protections: [])
    }

    /// One id is one provider, and one issuer is one provider (RFC 9207 §4): the later file is refused. Two with the
    /// very same endpoints are no mix-up: a code for the one goes where a code for the other does.
    static func refuseDoubles(_ reports: inout [PluginReport]) {
        var seen: [(path: String, description: ProviderDescription)] = []
        for index in reports.indices {
            guard let description = reports[index].provider?.description else { continue }
            let earlier = seen.first { other in
                other.description.id == description.id
                    || (other.description.issuer == description.issuer && !description.issuer.contains("{")
                        && (other.description.endpoints.authorize != description.endpoints.authorize
                            || other.description.endpoints.token != description.endpoints.token))
            }
            guard let earlier else {
                seen.append((reports[index].path, description))
                continue
            }
            let what =
                earlier.description.id == description.id ? "id \(description.id)" : "issuer \(description.issuer)"
            reports[index].provider = nil
            reports[index].protections = []
            reports[index].fault = VaultError(
                .plugin, "its \(what) is that of \(earlier.path)", hint: "remove one of the two files")
        }
    }
}
