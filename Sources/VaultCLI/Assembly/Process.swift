import Glibc
import VaultBase

/// What holds for the whole process, from its first line on.
enum ProcessRules {
    /// Files we make are ours alone; no memory of ours ends on a disk; a closed pipe is an error, not an end.
    static func apply() {
        umask(0o077)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        forbidDumps()
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// A core may go to a program instead of a file, past the limit above (core(5)).
    private static func forbidDumps() {
        // Swift imports no variadic function; with whole numbers the call is the same.
        typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        guard let address = dlsym(nil, "prctl") else { return }
        let setDumpable: Int32 = 4
        _ = unsafeBitCast(address, to: Control.self)(setDumpable, 0, 0, 0, 0)
    }

    /// What the store, plugins, providers and files need besides the clients' connections.
    static let ownDescriptors = 512

    /// Raises the soft limit on descriptors as far as it is needed and allowed.
    static func allowDescriptors(_ count: Int) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < count else {
            return
        }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// This program, for the children it starts: the very file it runs, also after an upgrade put another in its place.
    static let program = "/proc/self/exe"

    /// Takes a name out of the environment and wipes its value, which `/proc` would show as long as we live.
    static func forget(_ name: String) {
        if let value = getenv(name) { explicit_bzero(value, strlen(value)) }
        unsetenv(name)
    }

    /// The environment as it is now.
    static var environment: [String: String] {
        var all: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                all[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return all
    }
}
