import Glibc
import Testing

/// `vault check` on stores that are not what they were.
@Suite struct CheckTests {
    /// A vault of many connections.
    private func filled() throws -> TestVault {
        let vault = try TestVault()
        let lines = (0..<300).map { #"{"user":"u\#($0)","platform":"spotify","accessToken":"T\#($0)"}"# }
        let imported = try vault.run("import", "-", input: lines.joined(separator: "\n"))
        try #require(imported.status == 0, "\(imported.err)")
        return vault
    }

    /// Changes the pages of the store that hold `user`, in place.
    private func damage(_ vault: TestVault, _ user: String, _ change: (inout [UInt8], Int) -> Void) throws {
        let descriptor = open(vault.folder.path("store/data.mdb"), O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let name = Array("\(user)\0platform#spotify".utf8)
        var page = [UInt8](repeating: 0, count: 4096)
        var number = 0
        var found = 0
        while pread(descriptor, &page, page.count, number * 4096) == page.count {
            // A page that holds values has the 2 of P_LEAF; its list of places, from byte 16 up to the bound at
            // byte 12, says which are alive: what was moved away stays in the free room. Names stand 8 behind.
            func number16(_ offset: Int) -> Int { Int(page[offset]) | Int(page[offset + 1]) << 8 }
            let bound = min(max(16, number16(12)), page.count)
            let places = stride(from: 16, to: page[10] & 2 == 0 ? 16 : bound, by: 2).map { number16($0) + 8 }
                .filter { $0 < page.count && page[$0...].starts(with: name) }
            for place in places { change(&page, place + name.count) }
            if !places.isEmpty {
                pwrite(descriptor, page, page.count, number * 4096)
                found += 1
            }
            number += 1
        }
        try #require(found > 0)
    }

    @Test func aBadRecordIsNamedWithWhatToDo() throws {
        let vault = try filled()
        try damage(vault, "u77") { page, value in page[value + 100] ^= 1 }
        let check = try vault.run("check")
        #expect(check.status == 5)
        #expect(check.out.contains("damaged  u77 at spotify: "), "\(check.out)")
        #expect(check.out.contains("hint: ") && check.out.contains("vault put u77 spotify"))
        #expect(try vault.run("check", "--json").out.contains(#""kind":"damaged""#))
    }

    @Test(arguments: [false, true]) func aDamagedHeaderIsMendedWithARecount(besideServer: Bool) throws {
        let vault = try filled()
        let server = besideServer ? try TestServer(vault) : nil
        // In the version, which the vault's hash of all contents covers.
        try damage(vault, "u77") { page, value in page[value + 8] ^= 1 }
        let early = try vault.run("check", "--recount")
        #expect(early.status == 5 && early.err.contains("u77"), "\(early.err)")
        try vault.put("u77", "spotify", #"{"accessToken":"A"}"#)
        let check = try vault.run("check")
        #expect(check.status == 5 && check.out.contains("contents  records: "), "\(check.out)")
        #expect(check.out.contains("vault check --recount"))
        let recount = try vault.run("check", "--recount")
        #expect(recount.status == 0 && recount.err.contains("counted anew: "), "\(recount.err)")
        #expect(recount.lines.first == "sound  300 connections", "\(recount.out)")
        #expect(try vault.run("check", "--recount").err.contains("the count was right: "))
        #expect(try vault.run("backup", vault.folder.path("backup")).status == 0)
        if let server { #expect(kill(server.child, 0) == 0) }
    }

    @Test(arguments: [false, true]) func theClockCanBeAcceptedAtAnyTime(besideServer: Bool) throws {
        let vault = try filled()
        let server = besideServer ? try TestServer(vault) : nil
        let accepted = try vault.run("check", "--accept-clock")
        #expect(
            accepted.status == 0 && accepted.err.contains("the vault's clock was 0 seconds ahead"), "\(accepted.err)")
        #expect(accepted.lines.first == "sound  300 connections")
        withExtendedLifetime(server) {}
    }

    @Test func aDamagedPageIsAFindingAndNoCrash() throws {
        let vault = try filled()
        try damage(vault, "u77") { page, _ in page = [UInt8](repeating: 0, count: page.count) }
        let check = try vault.run("check")
        #expect(check.status == 5, "\(check.err)")
        #expect(check.out.contains("page  "), "\(check.out)")
        #expect(check.err.contains("problem"))
    }

    @Test func aDamagedPageTakesNoServerDown() throws {
        let vault = try filled()
        let server = try TestServer(vault)
        let sound = try vault.run("check")
        #expect(sound.status == 0 && sound.lines.first == "sound  300 connections", "\(sound.err)")
        try damage(vault, "u77") { page, _ in page = [UInt8](repeating: 0xFF, count: page.count) }
        let check = try vault.run("check")
        #expect(check.status == 5, "\(check.err)")
        #expect(check.out.contains("page  "), "\(check.out)")
        #expect(try vault.run("status").status == 0)
        #expect(kill(server.child, 0) == 0)
    }

    @Test func afterAFailedDiskAServerChecksBeforeItServes() throws {
        let vault = try filled()
        let mark = vault.folder.path("store/unverified")
        try vault.folder.write("store/unverified", "")
        do {
            let server = try TestServer(vault)
            try server.waitForLog("the store is sound")
            #expect(access(mark, F_OK) != 0)
            #expect(server.stop() == 0)
        }
        try damage(vault, "u77") { page, value in page[value + 100] ^= 1 }
        // Without the mark nobody looks at everything.
        do {
            let server = try TestServer(vault)
            #expect(server.stop() == 0)
        }
        try vault.folder.write("store/unverified", "")
        let refused = try vault.run("serve")
        #expect(refused.status == 5 && refused.err.contains("1 problem"), "\(refused.err)")
        #expect(access(mark, F_OK) == 0)
    }

    @Test func aStorePutBackWholeShowsAgainstAnAnchor() throws {
        let vault = try filled()
        let old = try vault.run("check")
        #expect(system("cp \(vault.folder.path("store"))/data.mdb \(vault.folder.path("old.mdb"))") == 0)
        try vault.put("ada", "spotify", #"{"accessToken":"A"}"#)
        let new = try vault.run("check")
        func anchor(_ result: Program.Result) throws -> String {
            String(try #require(result.lines.last).dropFirst("anchor  ".count))
        }
        #expect(try vault.run("check", "--anchor", anchor(old), "--anchor", anchor(new)).status == 0)
        #expect(system("cp \(vault.folder.path("old.mdb")) \(vault.folder.path("store"))/data.mdb") == 0)
        #expect(try vault.run("check").status == 0)
        let caught = try vault.run("check", "--anchor", anchor(new))
        #expect(caught.status == 5 && caught.out.contains("anchor  the whole vault was put back"), "\(caught.out)")
        #expect(try vault.run("check", "--anchor", "nonsense").status == 64)
    }
}
