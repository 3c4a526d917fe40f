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
