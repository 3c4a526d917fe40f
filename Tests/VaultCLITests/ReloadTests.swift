import Glibc
import TestFolders
import Testing

@testable import VaultCLI

/// A server takes in plugins and platforms while it runs.
@Suite(.enabled(if: Program.plugins != nil, "the plugins are not built: sh Plugins/build.sh .build/debug/plugins"))
struct ReloadTests {
    static let conf = """
        [platforms.spotify]
        client-id = "one"
        """

    /// A vault with a plugin folder of its own.
    func vault(_ plugins: String..., isolation: String = "process") throws -> TestVault {
        let folder = try Folder()
        for name in plugins { try Self.copy(name, to: folder) }
        let vault = try TestVault(conf: "isolation = \"\(isolation)\"\n\(Self.conf)", plugins: folder.path)
        keep.append(folder)
        return vault
    }

    final class Kept: @unchecked Sendable {
        private(set) var folders: [Folder] = []
        func append(_ folder: Folder) { folders.append(folder) }
    }
    let keep = Kept()

    static func copy(_ name: String, to folder: Folder, as other: String? = nil) throws {
        let source = try #require(Program.plugins)
        let descriptor = open("\(source)/\(name).so", O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let target = open(folder.path("new"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
        try #require(target >= 0)
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
            try #require(write(target, buffer, count) == count)
        }
        try #require(rename(folder.path("new"), folder.path("\(other ?? name).so")) == 0)
    }

    @Test func pluginsAndPlatformsComeChangeAndGo() throws {
        let vault = try vault("spotify")
        let folder = try #require(keep.folders.first)
        let server = try TestServer(vault)
        let same = try vault.run("plugins", "reload")
        #expect(same.status == 0 && same.out.contains("plugins    as they were"), "\(same.out) \(same.err)")

        try Self.copy("github", to: folder)
        let conf = try vault.folder.read("vault.conf")
        let more = conf.replacing("\"one\"", with: "\"two\"") + "\n[platforms.github]\nclient-id = \"g\"\n"
        try vault.folder.write("vault.conf", more)
        let changed = try vault.run("plugins", "reload")
        #expect(changed.status == 0, "\(changed.err)")
        #expect(changed.out.contains("plugins    +github.so\n"), "\(changed.out)")
        #expect(changed.out.contains("platforms  +github ~spotify\n"), "\(changed.out)")
        #expect(try vault.run("status", "--json").out.contains(#""available":true,"displayName":"GitHub""#))

        try Self.copy("twitch", to: folder, as: "github")
        try vault.folder.write("vault.conf", conf + "\n[login]\nper-minute = 3\n")
        let gone = try vault.run("plugins", "reload")
        #expect(gone.out.contains("plugins    ~github.so\n"), "\(gone.out)")
        #expect(gone.out.contains("platforms  ~spotify -github\n"), "\(gone.out)")
        #expect(gone.err.contains("at the next start: login.per-minute"), "\(gone.err)")
        #expect(server.stop() == 0)
    }

    @Test func theStartWaitsForWhatItNeedsAlone() throws {
        let vault = try vault("github", "spotify", "twitch")
        let folder = try #require(keep.folders.first)
        try folder.write("broken.so", "no plugin")
        let server = try TestServer(vault)
        let listed = try vault.run("plugins", "--json")
        #expect(listed.status == 0, "\(listed.err)")
        for name in ["GitHub", "Spotify", "Twitch"] { #expect(listed.out.contains(name), "\(listed.out)") }
        try server.waitForLog("broken.so")
        let same = try vault.run("plugins", "reload")
        #expect(same.out.contains("plugins    as they were"), "\(same.out) \(same.err)")
        #expect(server.stop() == 0)
    }

    @Test func aHangUpReloadsToo() throws {
        let vault = try vault("spotify")
        let server = try TestServer(vault)
        // It looks at the folder once it listens; this waits for that, so that what comes now was added.
        #expect(try vault.run("plugins").status == 0)
        try Self.copy("github", to: try #require(keep.folders.first))
        kill(server.child, SIGHUP)
        try server.waitForLog("\"plugins\":\"+github.so\"")
        #expect(server.stop() == 0)
    }

    @Test func wrongSettingsChangeNothing() throws {
        let vault = try vault("spotify")
        let server = try TestServer(vault)
        let conf = try vault.folder.read("vault.conf")
        try vault.folder.write("vault.conf", conf + "\nclient-idd = \"x\"\n")
        // The command reads the same file, so the signal it is.
        kill(server.child, SIGHUP)
        try server.waitForLog("the new settings are wrong, the old ones stay")
        try vault.folder.write("vault.conf", conf)
        #expect(try vault.run("status", "--json").out.contains(#""available":true,"displayName":"Spotify""#))
        #expect(server.stop() == 0)
    }

    @Test func inTheVaultsOwnProcessAChangedFileNeedsARestart() throws {
        let vault = try vault("spotify", isolation: "in-process")
        let server = try TestServer(vault)
        try Self.copy("github", to: try #require(keep.folders.first), as: "spotify")
        let result = try vault.run("plugins", "reload")
        #expect(result.out.contains("changed on disk; the one that was loaded before is used"), "\(result.out)")
        #expect(result.out.contains("restart vault"))
        #expect(try vault.run("status", "--json").out.contains(#""available":true,"displayName":"Spotify""#))
        #expect(server.stop() == 0)
    }

    @Test func aPlatformsIsolationIsTakenIn() throws {
        let vault = try vault("lastfm", "spotify")
        let conf = try vault.folder.read("vault.conf")
        func say(_ isolation: String) throws {
            try vault.folder.write(
                "vault.conf", conf + "\n[platforms.lastfm]\nclient-id = \"x\"\nisolation = \"\(isolation)\"\n")
        }
        func isolations() throws -> [Bool] {
            try ["lastfm", "spotify"].map { id in
                try vault.run("plugins", "--json").lines.contains {
                    $0.contains(#""isolation":"in-process""#) && $0.contains(#""provider":"\#(id)""#)
                }
            }
        }
        try say("in-process")
        #expect(try isolations() == [true, false])
        let server = try TestServer(vault)
        #expect(try isolations() == [true, false])
        #expect(Self.children(of: server.child).isEmpty)
        // The hook of Last.fm moves into a process of its own.
        try say("process")
        #expect(try vault.run("plugins", "reload").status == 0)
        #expect(try isolations() == [false, false])
        #expect(Self.children(of: server.child).count == 1)
        #expect(server.stop() == 0)
    }

    @Test func manyReloadsLeaveNoChildAndNoDescriptor() throws {
        let vault = try vault("lastfm")
        let folder = try #require(keep.folders.first)
        let server = try TestServer(vault)
        var first = 0
        for turn in 0..<10 {
            try Self.copy("lastfm", to: folder)
            #expect(try vault.run("plugins", "reload").status == 0)
            if turn == 2 { first = Self.descriptors(server.child) }
        }
        for _ in 0..<500 where Self.children(of: server.child).count > 1 { usleep(10_000) }
        #expect(Self.children(of: server.child).count == 1, "only the one whose hook may be called")
        #expect(Self.descriptors(server.child) <= first + 2)
        #expect(server.stop() == 0)
    }

    @Test func aServerThatIsKilledLeavesNoPluginBehind() throws {
        let vault = try vault("lastfm")
        let server = try TestServer(vault)
        let children = Self.children(of: server.child)
        #expect(children.count == 1)
        #expect(server.stop(SIGKILL) == 128 + SIGKILL)
        for _ in 0..<500 where children.contains(where: Self.runs) { usleep(10_000) }
        #expect(!children.contains(where: Self.runs))
    }

    /// A process that ended and that nobody reaped has no command line.
    static func runs(_ process: pid_t) -> Bool {
        guard let file = fopen("/proc/\(process)/cmdline", "r") else { return false }
        defer { fclose(file) }
        return fgetc(file) != EOF
    }

    static func children(of parent: pid_t) -> [pid_t] {
        var children: [pid_t] = []
        for name in TestFolder.names(in: "/proc") {
            guard let pid = pid_t(name), let file = fopen("/proc/\(name)/status", "r") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 256)
            while fgets(&line, 256, file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if text == "PPid:\t\(parent)\n" { children.append(pid) }
            }
        }
        return children
    }

    static func descriptors(_ process: pid_t) -> Int {
        guard let directory = opendir("/proc/\(process)/fd") else { return -1 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }
}

/// The commands for those who write plugins.
@Suite struct PluginCommandTests {
    @Test(arguments: [true, false]) func aNewProjectIsBuiltAndChecked(_ c: Bool) throws {
        let folder = try Folder()
        let made = try Program.run(["plugin", "new", "acme", "--into", folder.path] + (c ? ["--c"] : []), in: folder)
        #expect(made.status == 0 && made.out.contains("/acme/: change"), "\(made.err)")
        let source = try folder.read(c ? "acme/acme.c" : "acme/Acme.swift")
        #expect(source.contains("https://acme.example/authorize"))
        #expect(access(folder.path("acme/build.sh"), X_OK) == 0)
        let again = try Program.run(["plugin", "new", "acme", "--into", folder.path], in: folder)
        #expect(again.status == 1 || again.status == 2, "\(again.err)")
        #expect(again.err.contains("acme is there already"))
    }

    @Test(.enabled(if: Program.plugins != nil, "the plugins are not built: sh Plugins/build.sh .build/debug/plugins"))
    func aPluginIsCheckedWithAReport() throws {
        let folder = try Folder()
        let file = "\(try #require(Program.plugins))/github.so"
        let report = try Program.run(["plugin", "check", file], in: folder)
        #expect(report.status == 0, "\(report.out) \(report.err)")
        #expect(report.out.contains("github.so  github (GitHub)"))
        #expect(report.out.contains("failures.outage "), "\(report.out)")
        #expect(report.out.contains(" kept, 0 broken, "))
        let json = try Program.run(["plugin", "check", file, "--json"], in: folder)
        #expect(json.lines.allSatisfy { $0.hasPrefix("{") } && json.out.contains(#""promise":"file.loads""#))
    }

    @Test func aFileThatIsNoPluginIsToldSo() throws {
        let folder = try Folder()
        try folder.write("no.so", "this is text", mode: 0o644)
        let report = try Program.run(["plugin", "check", folder.path("no.so")], in: folder)
        #expect(report.status == 1, "\(report.err)")
        #expect(report.out.contains("BROKEN"), "\(report.out)")
        #expect(report.err.contains("1 promise broken"))
        #expect(try Program.run(["plugin", "check", folder.path("none.so")], in: folder).status != 0)
    }
}
