import Foundation
import VaultBase

@testable import VaultProviders

/// Builds plugins for tests and knows the program that can host one in a process of its own.
enum Workshop {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// `vault plugin-host`, as far as this package builds it; a helper of the same one line else.
    static let hostProgram: [String]? = {
        func there(_ name: String) -> String? {
            let path = products.appending(path: name).path
            return FileManager.default.isExecutableFile(atPath: path) ? path : nil
        }
        return there("plugin-host-helper").map { [$0] } ?? there("vault").map { [$0, "plugin-host"] }
    }()

    /// A program that hosts plugins on a kernel without these calls: they fail with EPERM, in whatever it runs.
    static func hostProgram(without calls: [String], in folder: String) throws -> [String] {
        let source = "\(folder)/without.c"
        let rules = calls.map {
            """
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, \($0), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            """
        }
        try Data(
            """
            #include <errno.h>
            #include <linux/filter.h>
            #include <linux/seccomp.h>
            #include <stddef.h>
            #include <sys/prctl.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            int main(int count, char **arguments) {
                struct sock_filter code[] = {
                    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                    \(rules.joined(separator: "\n"))
                    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                };
                struct sock_fprog program = {sizeof code / sizeof code[0], code};
                if (count < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 70;
                if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 70;
                execv(arguments[1], arguments + 1);
                return 71;
            }
            """.utf8
        ).write(to: URL(filePath: source))
        guard try run(["cc", source, "-o", "\(folder)/without"]) == 0 else {
            throw VaultError(.internal, "cc failed for \(source)")
        }
        return ["\(folder)/without"] + (hostProgram ?? [])
    }

    static let hasSwift = (try? run(["swiftc", "--version"])) == 0
    static let hasReadelf = (try? run(["readelf", "--version"])) == 0

    /// All of `Plugins/`, built once and kept beside the tests.
    static let plugins: Result<String, any Error> = Result {
        let folder = products.appending(path: "test-plugins").path
        guard try run(["sh", repository.appending(path: "Plugins/build.sh").path, folder]) == 0 else {
            throw VaultError(.internal, "Plugins/build.sh failed")
        }
        return folder
    }

    /// A new folder with one plugin of the given C text in it.
    static func folder(_ name: String = "bad", c text: String, flags: [String] = []) throws -> String {
        let folder = try emptyFolder()
        try compile(text, to: "\(folder)/\(name).so", flags: flags)
        return folder
    }

    /// Holds every folder of these tests, and is removed when they end.
    private static let folders: URL = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vault-plugins-\(getpid())")
        atexit { try? FileManager.default.removeItem(at: Workshop.folders) }
        return folder
    }()

    static func emptyFolder() throws -> String {
        try FileManager.default.createDirectory(
            at: folders, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let folder = folders.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        return folder.resolvingSymlinksInPath().path
    }

    static func compile(_ text: String, to target: String, flags: [String] = []) throws {
        let source = target + ".c"
        try Data("#include \"vault_plugin.h\"\n\(text)\n".utf8).write(to: URL(filePath: source))
        let include = repository.appending(path: "Sources/VaultABI/include").path
        guard try run(["cc", "-std=gnu11", "-shared", "-fPIC", "-I\(include)"] + flags + [source, "-o", target]) == 0
        else { throw VaultError(.internal, "cc failed for \(source)") }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: target)
    }

    /// A plugin that is right, with more members and other functions.
    static func plugin(_ id: String, _ members: String = "", before: String = "", entry: String = "return &p;")
        -> String
    {
        """
        \(before)
        static const vault_provider_v1 p = {
            .abi = VAULT_ABI_V1, .id = "\(id)", .name = "Test", .issuer = "https://\(id).example",
            .authorize = "https://\(id).example/a", .token = "https://\(id).example/t",
            .profile = "https://\(id).example/me", \(members)
        };
        const vault_provider_v1 *vault_plugin_v1(void) { \(entry) }
        """
    }

    /// However busy the machine is, a plugin that is right is in time.
    static let patient = PluginProcess.Patience(load: .seconds(120), call: .seconds(120))

    static func load(
        _ folder: String, _ isolation: Isolation, pins: [String: String] = [:],
        sha256: (@Sendable ([UInt8]) -> [UInt8])? = nil, patience: PluginProcess.Patience = patient,
        keeping earlier: [PluginReport] = [], only wanted: Set<String>? = nil, host: [String]? = hostProgram,
        isolations: [String: Isolation] = [:]
    ) async -> [PluginReport] {
        var plugins = PluginFolder(
            path: folder, isolation: isolation, isolations: isolations, hostProgram: host ?? [], pins: pins,
            sha256: sha256)
        plugins.patience = patience
        return await plugins.load(keeping: earlier, only: wanted)
    }

    @discardableResult static func run(_ command: [String]) throws -> Int32 {
        let (status, _) = try output(command)
        return status
    }

    static func output(_ command: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
