import Glibc
import Testing
import VaultBase

@testable import VaultCLI

/// A log that nobody reads for a while.
@Suite(.timeLimit(.minutes(5))) struct LogSinkTests {
    /// What can be read from a pipe, as lines.
    private final class Reader {
        private let descriptor: Int32
        private var rest: [UInt8] = []

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        /// Waits for the next line; nil at the end.
        func next() -> String? {
            while true {
                if let end = rest.firstIndex(of: 0x0A) {
                    defer { rest.removeFirst(end + 1) }
                    return String(decoding: rest[..<end], as: UTF8.self)
                }
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { return nil }
                rest += buffer[..<count]
            }
        }
    }

    @Test func whatIsLostIsCountedWhereItWouldStand() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let sink = try LogSink(to: ends[1], limit: 4096) { "lost \($0)\n" }
        // Several times what fits the pipe: who waited for the reader would wait for ever.
        let total = 20_000
        for number in 0..<total { sink.write("line \(number)\n") }
        sink.flush(within: .milliseconds(1))

        let reader = Reader(ends[0])
        var (expected, lost) = (0, 0)
        while expected < total {
            let words = try #require(reader.next()).split(separator: " ")
            let number = try #require(Int(words[1]))
            if words[0] == "lost" {
                expected += number
                lost += number
            } else {
                #expect(number == expected)
                expected = number + 1
            }
        }
        #expect(expected == total && lost > 0)
        // And it goes on as if nothing had been.
        sink.write("line \(total)\n")
        #expect(reader.next() == "line \(total)")
    }

    @Test func linesOfManyThreadsStayWhole() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let sink = try LogSink(to: ends[1]) { "lost \($0)\n" }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask { for number in 0..<100 { sink.write("\(writer) \(number) end\n") } }
            }
        }
        sink.flush(within: .seconds(60))
        var next = [Int](repeating: 0, count: 8)
        let reader = Reader(ends[0])
        for _ in 0..<800 {
            let words = try #require(reader.next()).split(separator: " ")
            let writer = try #require(Int(words[0]))
            #expect(words.count == 3 && words[1] == "\(next[writer])" && words[2] == "end")
            next[writer] += 1
        }
    }

    @Test func aServerWhoseLogNobodyReadsGoesOn() throws {
        let vault = try TestVault()
        let path = vault.folder.path("log")
        try #require(mkfifo(path, 0o600) == 0)
        // For both, so that opening waits for nobody; it holds a page.
        let log = open(path, O_RDWR | O_CLOEXEC)
        try #require(log >= 0)
        defer { close(log) }
        let setPipeSize: Int32 = 1031
        _ = fcntl(log, setPipeSize, 4096)
        let child = try Program.start(
            ["serve", "--config", vault.folder.path("vault.conf")], in: vault.folder, name: "serve",
            before: ["/bin/sh", "-c", "exec \"$0\" \"$@\" 2>\(path)"])
        var isOver = false
        defer { if !isOver { kill(child, SIGKILL) } }

        let reader = Reader(log)
        var port: UInt16?
        while port == nil {
            let line = try #require(reader.next())
            guard line.contains("\"message\":\"ready\"") else { continue }
            port = line.split(separator: "127.0.0.1:").last.flatMap { UInt16($0.prefix { $0.isNumber }) }
        }
        // Nobody reads now. Each answer is a line, and far more of them than the pipe holds.
        for _ in 0..<200 { #expect(try Self.get("/auth/platforms", try #require(port)).hasPrefix("HTTP/1.1 200")) }
        #expect(try vault.run("status").status == 0)

        kill(child, SIGTERM)
        var lines = 0
        while let line = reader.next(), !line.contains("\"message\":\"stopped\"") {
            if line.contains("\"route\":\"/auth/platforms\"") { lines += 1 }
            #expect(!line.contains("lost"))
        }
        #expect(lines == 200)
        #expect(Program.wait(child) == 0)
        isOver = true
    }

    /// One request on a connection of its own, and all of its answer.
    private static func get(_ path: String, _ port: UInt16) throws -> String {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(client >= 0)
        defer { close(client) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        try #require(send(client, request, request.count, 0) == request.count)
        let reader = Reader(client)
        var text = ""
        while let line = reader.next() { text += line + "\n" }
        return text
    }
}
