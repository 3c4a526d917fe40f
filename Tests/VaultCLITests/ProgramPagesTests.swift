import Glibc
import Testing

@testable import VaultCLI

@Suite struct ProgramPagesTests {
    /// How much of this program's code is in memory, in kB.
    private func resident() throws -> Int {
        let program = try #require(realpath(ProcessRules.program, nil))
        defer { free(program) }
        let maps = try #require(fopen("/proc/self/smaps", "re"))
        defer { fclose(maps) }
        var (line, room, isCode, total): (UnsafeMutablePointer<CChar>?, Int, Bool, Int) = (nil, 0, false, 0)
        defer { free(line) }
        while getline(&line, &room, maps) > 0, let text = line.map({ String(cString: $0) }) {
            if text.contains(" r-xp ") {
                isCode = text.contains(String(cString: program))
            } else if isCode, text.hasPrefix("Rss:") {
                total += text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                isCode = false
            }
        }
        return total
    }

    @Test func whatIsNotNeededAnyMoreIsLetGoAndComesBack() throws {
        let before = try resident()
        #expect(before > 1024)
        // Other tests run meanwhile and need theirs again.
        var least = before
        for _ in 0..<20 where least > before / 2 {
            ProgramPages.letGo()
            least = min(least, try resident())
        }
        #expect(least <= before / 2, "\(least) of \(before) kB")
    }
}
