import Glibc
import Testing

/// Commands beside a running server, and the server itself, run as the real program.
@Suite(.timeLimit(.minutes(5))) struct ServerTests {
    @Test func commandsBesideAServerSayTheSameAsWithout() throws {
        let vault = try TestVault()
        try vault.put("ada", "spotify", #"{"accessToken":"A","refreshToken":"R","subject":"s1"}"#)
        try vault.put("grace", "spotify", #"{"accessToken":"B","expiresAt":"2030-01-01T00:00:00Z"}"#)
        let commands: [[String]] = [
            ["connections", "--json"], ["connections", "ada", "--json"], ["show", "ada", "spotify", "--json"],
            ["show", "ada", "spotify", "--json", "--reveal"], ["export"], ["sweep", "--dry-run", "--json"],
            ["show", "nobody", "spotify"], ["delete", "nobody"], ["refresh", "ada", "spotify"], ["plugins", "--json"],
            ["show", "ada", "Bad"],
        ]
        func all() throws -> [[String]] {
            try commands.map { command in
                let result = try Program.run(command + ["--config", vault.folder.path("vault.conf")], in: vault.folder)
                return ["\(result.status)", result.out, result.err]
            }
        }
        let without = try all()
        let server = try TestServer(vault)
        let beside = try all()
        for (command, pair) in zip(commands, zip(without, beside)) { #expect(pair.0 == pair.1, "\(command)") }

        let status = try vault.run("status", "--json")
        #expect(status.out.contains("\"serverProcess\":\(server.child)"))
        #expect(server.stop() == 0)
        #expect(!vault.folder.exists("store/admin.sock"))
    }

    @Test func whatIsWrittenBesideAServerIsThereAfterwards() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        try vault.put("ada", "spotify", #"{"accessToken":"A"}"#)
        let long = String(repeating: "t", count: 2000)
        let lines = (0..<600).map { #"{"user":"u\#($0)","platform":"spotify","accessToken":"\#(long)\#($0)"}"# }
        let imported = try vault.run("import", "-", input: lines.joined(separator: "\n"))
        #expect(imported.status == 0, "\(imported.err)")
        #expect(imported.err.split(separator: "\n").count == 1, "the same warning is given once: \(imported.err)")
        #expect(try vault.run("delete", "u7").status == 0)
        let made = try vault.run("backup", vault.folder.path("hot.vault"))
        #expect(made.status == 0 && made.out.contains("600 connections"), "\(made.err)")
        // More than fits the socket's buffers: nothing is lost at its end.
        let beside = try vault.run("export")
        #expect(server.stop() == 0)
        let after = try vault.run("export")
        #expect(beside.status == 0 && after.lines.count == 600)
        #expect(beside.out == after.out)
        #expect(try vault.run("backup", "verify", vault.folder.path("hot.vault")).status == 0)
    }

    @Test func theSocketIsForItsOwnerAlone() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        var status = stat()
        #expect(lstat(vault.folder.path("store/admin.sock"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(server.stop(SIGINT) == 0)
    }

    @Test func aClientThatSaysNothingDoesNotKeepAServerFromStopping() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        let client = try Self.connect(vault.folder.path("store/admin.sock"))
        defer { close(client) }
        #expect(server.stop() == 0)
    }

    @Test func aClientThatOnlyLooksIsNoStranger() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        for _ in 0..<200 { close(try Self.connect(vault.folder.path("store/admin.sock"))) }
        #expect(try vault.run("status").status == 0)
        #expect(server.stop() == 0)
        #expect(try !server.log.contains("another user"))
    }

    @Test(arguments: [
        ("{}", "the server speaks version 1"), ("junk", "the server speaks version 1"),
        (#"{"version":1,"command":{"fly":{}}}"#, "does not know this command"),
        (#"{"version":2,"command":{"status":{}}}"#, "and the command 2"),
    ]) func whatIsNoCommandIsRefusedAndTheServerGoesOn(_ line: String, _ words: String) throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        let client = try Self.connect(vault.folder.path("store/admin.sock"))
        defer { close(client) }
        let bytes = Array((line + "\n").utf8)
        #expect(write(client, bytes, bytes.count) == bytes.count)
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        var count = read(client, &buffer, buffer.count)
        while count > 0 {
            answer += buffer[..<count]
            count = read(client, &buffer, buffer.count)
        }
        #expect(count == 0, "the server ends what it has answered")
        #expect(String(decoding: answer, as: UTF8.self).contains(words))
        #expect(try vault.run("status").status == 0)
        #expect(server.stop() == 0)
    }

    @Test func aHangUpTellsWhatChangedAndStopsNothing() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        let conf = try vault.folder.read("vault.conf")
        try vault.folder.write("vault.conf", conf + "\n[login]\nper-minute = 3\n")
        kill(server.child, SIGHUP)
        try server.waitForLog("\"settings\":\"login.per-minute\"")
        try vault.folder.write("vault.conf", conf + "\n[login]\nper-minute = \"many\"\n")
        kill(server.child, SIGHUP)
        try server.waitForLog("the new settings are wrong, the old ones stay")
        try vault.folder.write("vault.conf", conf)
        #expect(try vault.run("status").status == 0)
        #expect(server.stop() == 0)
    }

    private static func connect(_ path: String) throws -> Int32 {
        let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(client >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let done = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(done == 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return client
    }

    @Test func aSecondServerOnTheSameVaultIsRefused() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        let second = try vault.run("serve")
        #expect(second.status == 4, "\(second.err)")
        #expect(server.stop() == 0)
    }

    /// Where a process cannot see the other's number, as in a second container.
    private static let alone = ["/usr/bin/unshare", "--pid", "--fork"]

    @Test(.enabled(if: system(alone.joined(separator: " ") + " true 2>&-") == 0, "no PID namespace can be made here"))
    func aServerInAnotherPIDNamespaceIsRefusedToo() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        let second = try Program.run(
            ["serve", "--config", vault.folder.path("vault.conf")], in: vault.folder, before: Self.alone)
        #expect(second.status == 4, "\(second.err)")
        #expect(server.stop() == 0)
    }

    @Test func aServerThatWasKilledIsFollowedByAnother() throws {
        let vault = try TestVault()
        let first = try TestServer(vault)
        try vault.put("ada", "spotify", #"{"accessToken":"A"}"#)
        #expect(first.stop(SIGKILL) == 128 + SIGKILL)
        // Its socket is left behind, and nobody answers there.
        #expect(vault.folder.exists("store/admin.sock"))
        #expect(try vault.run("connections").lines.count == 2)
        let second = try TestServer(vault)
        #expect(try vault.run("connections").lines.count == 2)
        #expect(second.stop() == 0)
    }

    @Test func initIfMissingMakesAVaultOnce() throws {
        let vault = try TestVault(initialized: false)
        for _ in 0..<2 {
            let server = try TestServer(vault, "--init-if-missing")
            #expect(server.stop() == 0)
        }
        #expect(try vault.run("status").status == 0)
    }

    @Test func aTakenPortIsSaidClearly() throws {
        let vault = try TestVault()
        let server = try TestServer(vault)
        let other = try TestVault()
        let result = try other.run("serve", "--admin", String(server.admin.dropFirst("http://".count)))
        #expect(result.status == 4)
        #expect(result.err.contains("a port is taken already"), "\(result.err)")
        #expect(server.stop() == 0)
    }

    @Test func noSecretIsInTheLog() throws {
        let vault = try TestVault(conf: "[log]\nlevel = \"trace\"")
        let server = try TestServer(vault)
        try vault.put("ada", "spotify", #"{"accessToken":"AT-CANARY","refreshToken":"RT-CANARY","subject":"s1"}"#)
        let session = try vault.run("session", "issue", "ada").out.dropLast()
        _ = try vault.run("show", "ada", "spotify", "--reveal")
        _ = try vault.run("export")
        _ = try vault.run("refresh", "ada", "spotify")
        _ = try vault.run("disconnect", "ada", "spotify")
        #expect(server.stop() == 0)
        let log = try server.log
        #expect(!log.contains("CANARY"))
        #expect(session.count > 40 && !log.contains(session))
        let secret = try vault.folder.read("vault.session").dropLast()
        let key = try vault.folder.read("vault.key").dropLast()
        #expect(!log.contains(secret) && !log.contains(key))
        #expect(log.split(separator: "\n").count > 3)
        for line in log.split(separator: "\n") { #expect(line.hasPrefix("{\"time\":\"2") && line.hasSuffix("}")) }
    }
}
