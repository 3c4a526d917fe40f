import Glibc
import Testing

/// What the process keeps from others: keys out of swap, or a word that it could not; no cores; nothing to look into.
@Suite struct ProcessTests {
    /// Starts the program without the right to lock memory, which root has whatever the limit says.
    private static let unlocked = [
        "/bin/sh", "-c",
        """
        ulimit -l 0
        if test "$(id -u)" = 0
        then exec /usr/bin/setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock "$0" "$@"
        else exec "$0" "$@"
        fi
        """,
    ]

    private static let hasSetpriv = access("/usr/bin/setpriv", X_OK) == 0

    @Test(.enabled(if: hasSetpriv, "there is no setpriv")) func keysThatCannotBeLockedAreReported() throws {
        let vault = try TestVault()
        let words = "not locked in memory: raise RLIMIT_MEMLOCK"
        func status(_ before: [String], _ more: String...) throws -> String {
            let conf = ["--config", vault.folder.path("vault.conf")]
            let result = try Program.run(["status"] + more + conf, in: vault.folder, before: before)
            #expect(result.status == 0, "\(result.err)")
            return result.out
        }
        #expect(try status(Self.unlocked).contains(words))
        #expect(try status(Self.unlocked, "--json").contains(#""keysAreLocked":false"#))
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        if geteuid() == 0 || limit.rlim_cur >= 1 << 20 {
            #expect(try !status([]).contains(words))
            #expect(try status([], "--json").contains(#""keysAreLocked":true"#))
        }
        // A server says so in its log, and of itself to whoever asks.
        let server = try TestServer(vault, before: Self.unlocked)
        try server.waitForLog("keys could not be locked in memory")
        #expect(try server.log.contains("LimitMEMLOCK"))
        #expect(try status([]).contains(words))
        #expect(server.stop() == 0)
    }

    @Test(arguments: ["env:", "passphrase:env:"]) func aKeyIsWipedFromTheEnvironment(kind: String) throws {
        let secret = kind == "env:" ? String(repeating: "c0ffee42", count: 8) : "correct horse battery staple"
        let environment = ["VAULT_TEST_KEY": secret, "MARK": "a mark that stays"]
        let vault = try TestVault(initialized: false)
        // The vault is made with the secret in a file; the server reads it from its environment.
        try vault.folder.write("secret", secret, mode: 0o400)
        #expect(try vault.run("init").status == 0)
        let added = (kind == "env:" ? "" : "passphrase:") + "file:\(vault.folder.path("secret"))"
        #expect(try vault.run("key", "add", added).status == 0)
        let server = try TestServer(
            vault, "--key-source", "\(kind)VAULT_TEST_KEY", environment: environment)
        defer { _ = server.stop() }
        guard let seen = try? Folder.bytes("/proc/\(server.child)/environ") else {
            // Whoever is not root may not look: then there is nothing to see.
            #expect(geteuid() != 0)
            return
        }
        let text = String(decoding: seen, as: UTF8.self)
        #expect(text.contains("a mark that stays"), "this test would see it")
        #expect(!text.contains(secret.prefix(8)))
    }

    /// As another user where this one is root: then who owns what is in `/proc/<process>` tells whether it may be dumped
    /// (proc(5): root's for a process that may not).
    @Test(.enabled(if: hasSetpriv, "there is no setpriv")) func noMemoryEndsInACore() throws {
        let folder = try Folder()
        let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        let user = geteuid() == 0 ? nobody : []
        func owner(_ child: pid_t) -> uid_t {
            var info = stat()
            return stat("/proc/\(child)/environ", &info) == 0 ? info.st_uid : .max
        }
        func core(_ child: pid_t) throws -> [Substring] {
            let limits = String(decoding: try Folder.bytes("/proc/\(child)/limits"), as: UTF8.self)
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
            return line.split(separator: " ").dropFirst(4).prefix(2).map { $0 }
        }
        // The control: another program, started the same way.
        let other = try Program.start(
            [], in: folder, name: "other",
            before: user + ["/bin/sh", "-c", "ulimit -c \"$(ulimit -H -c)\"; echo up >&2; exec sleep 600"])
        defer { kill(other, SIGKILL); _ = Program.wait(other) }
        let vault = try Program.start(["sandbox", "--sandbox-port", "0"], in: folder, name: "vault", before: user)
        defer { kill(vault, SIGKILL); _ = Program.wait(vault) }
        for (name, words) in [("other", "up"), ("vault", "sandbox is ready")] {
            while try !folder.read("\(name).err").contains(words) {
                try #require(kill(name == "other" ? other : vault, 0) == 0)
                usleep(10_000)
            }
        }
        #expect(try core(vault) == ["0", "0"])
        #expect(owner(vault) == 0)
        #expect(owner(other) == (user.isEmpty ? geteuid() : 65534))
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        if limit.rlim_max > 0 { #expect(try core(other) != ["0", "0"]) }
    }
}
