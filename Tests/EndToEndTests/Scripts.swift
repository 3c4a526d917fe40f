import Dispatch
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Runs a Python scenario of this folder against the program that was just built.
enum Scenario {
    /// The folder of this file; the scenarios are beneath it.
    static let folder: String = {
        let file = #filePath
        return String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
    }()

    /// Where `swift build` left the program and `Plugins/build.sh` the plugins.
    static let products: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The tests may run from a bundle's own folder beneath it.
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }()

    /// The Python of the tests' own environment, where it could be made; the system's otherwise.
    static let python: String = {
        let own = folder + "/../../.build/e2e-venv/bin/python3"
        return access(own, X_OK) == 0 ? own : "/usr/bin/env"
    }()

    /// Runs it to its end and returns its exit status; what it prints goes where the tests print.
    ///
    /// Waits on a thread of its own: the few that tests share would starve the other tests.
    static func run(_ script: String, _ arguments: [String] = []) async -> Int32 {
        await withCheckedContinuation { caller in
            DispatchQueue.global().async { caller.resume(returning: wait(for: script, arguments)) }
        }
    }

    private static func wait(for script: String, _ arguments: [String]) -> Int32 {
        var words = [python]
        if python == "/usr/bin/env" { words.append("python3") }
        words += ["\(folder)/Scenarios/\(script)", "\(products)/vault", "\(products)/plugins"] + arguments
        var vector: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for word in vector { free(word) } }
        // The thread it is started on blocks signals, and what is started would inherit that: none could be stopped.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var child = pid_t()
        guard posix_spawn(&child, words[0], nil, &attributes, &vector, environ) == 0 else { return 127 }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// The exit status by which a scenario says that it cannot run here; it has printed why.
    static let skipped: Int32 = 77
}

/// Servers and browsers are heavy: one at a time.
@Suite(.serialized) struct EndToEnd {}
