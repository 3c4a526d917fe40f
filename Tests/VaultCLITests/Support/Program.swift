import FoundationEssentials
import Glibc
import TestFolders
import Testing

/// Runs the real program, which `swift build` left beside these tests.
enum Program {
    struct Result {
        var status: Int32
        var out: String
        var err: String

        var lines: [Substring] { out.split(separator: "\n") }
    }

    static let path: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let test = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return test[..<(test.lastIndex(of: "/") ?? test.startIndex)] + "/vault"
    }()

    /// Starts it without waiting; its output goes to `out` and `err` in the folder.
    ///
    /// - Parameter before: a program that starts it, with its arguments.
    static func start(
        _ arguments: [String], in folder: Folder, name: String = "run", input: String = "",
        environment: [String: String] = [:], before: [String] = []
    ) throws -> pid_t {
        try folder.write("\(name).in", input)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, folder.path("\(name).in"), O_RDONLY, 0)
        for (descriptor, ending) in [(Int32(1), "out"), (2, "err")] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, folder.path("\(name).\(ending)"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        // A clean environment: nothing of this machine decides a test. But a sanitizer is told what the tests are.
        let inherited = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
        let own = ["HOME": folder.path, "PATH": "/usr/bin:/bin"]
        let variables = own.merging(inherited) { $1 }.merging(environment) { $1 }
        let words = before + [path] + arguments
        var vector: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var block: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in vector + block { free(word) } }
        var child = pid_t()
        let fault = posix_spawn(&child, words[0], &actions, nil, &vector, &block)
        try #require(fault == 0, "cannot start \(words[0]): \(String(cString: strerror(fault)))")
        return child
    }

    /// Where the plugins were built, if they were: `sh Plugins/build.sh .build/debug/plugins`.
    static let plugins: String? = {
        let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)] + "/plugins"
        return access("\(folder)/sandbox.so", R_OK) == 0 ? String(folder) : nil
    }()

    static func wait(_ child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    static func run(
        _ arguments: [String], in folder: Folder, input: String = "", environment: [String: String] = [:],
        before: [String] = []
    ) throws -> Result {
        let name = "run\(UInt32.random(in: 0...UInt32.max))"
        let child = try start(arguments, in: folder, name: name, input: input, environment: environment, before: before)
        let status = wait(child)
        return Result(
            status: status, out: try folder.read("\(name).out"), err: try folder.read("\(name).err"))
    }
}

/// A folder of one test, gone with it.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = try #require(TestFolder.make("cli"))
    }

    deinit { TestFolder.remove(path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        let descriptor = open(path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        fchmod(descriptor, mode)
    }

    func read(_ name: String) throws -> String { String(decoding: try Self.bytes(path(name)), as: UTF8.self) }

    static func bytes(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0, "no \(path)")
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    var names: [String] { TestFolder.names(in: path) }
    static func list(_ path: String) -> [String] { TestFolder.names(in: path) }
}
