import Glibc
import Testing

/// A vault of one test: a folder with vault.conf, a key and a store, and commands on it.
struct TestVault {
    let folder: Folder

    /// - Parameters:
    ///   - conf: what stands in vault.conf besides the places.
    ///   - plugins: their folder; nil for one that is not there.
    init(conf: String = "", initialized: Bool = true, plugins: String? = nil) throws {
        folder = try Folder()
        try folder.write(
            "vault.conf",
            """
            listen = "127.0.0.1:0"
            admin = "127.0.0.1:0"
            [store]
            path = "\(folder.path("store"))"
            [key]
            source = "file:\(folder.path("vault.key"))"
            [plugins]
            path = "\(plugins ?? folder.path("plugins"))"
            \(conf)
            """)
        if initialized {
            let made = try run("init")
            try #require(made.status == 0, "\(made.err)")
        }
    }

    func run(
        _ arguments: String..., input: String = "", environment: [String: String] = [:]
    ) throws -> Program.Result {
        try Program.run(
            arguments + ["--config", folder.path("vault.conf")], in: folder, input: input, environment: environment)
    }

    @discardableResult
    func put(_ user: String, _ platform: String, _ json: String) throws -> Program.Result {
        let result = try run("put", user, platform, input: json)
        try #require(result.status == 0, "\(result.err)")
        return result
    }
}

/// A server on a vault, stopped when it goes.
final class TestServer {
    let vault: TestVault
    private(set) var child: pid_t
    let url: String
    let admin: String

    init(
        _ vault: TestVault, _ arguments: String..., environment: [String: String] = [:], before: [String] = []
    ) throws {
        self.vault = vault
        child = try Program.start(
            ["serve", "--config", vault.folder.path("vault.conf")] + arguments, in: vault.folder, name: "serve",
            environment: environment, before: before)
        var url: String?
        var admin: String?
        while true {
            let log = try vault.folder.read("serve.err")
            for line in log.split(separator: "\n") {
                if line.contains("\"message\":\"ready\"") { url = Self.address(line) }
                if line.contains("metrics and health are ready") { admin = Self.address(line) }
            }
            if url != nil, admin != nil { break }
            var status: Int32 = 0
            guard waitpid(child, &status, WNOHANG) == 0 else {
                child = 0
                Issue.record("the server ended: \(log)")
                break
            }
            usleep(10_000)
        }
        self.url = try #require(url)
        self.admin = try #require(admin)
    }

    private static func address(_ line: Substring) -> String? {
        let parts = line.split(separator: "\"url\":\"")
        return parts.count == 2 ? parts[1].split(separator: "\"").first.map(String.init) : nil
    }

    var log: String { get throws { try vault.folder.read("serve.err") } }

    /// Waits until the log says it; the test's time limit is the end of patience.
    func waitForLog(_ words: String) throws {
        while try !log.contains(words) {
            try #require(kill(child, 0) == 0, "the server ended")
            usleep(10_000)
        }
    }

    /// What the metrics say of `name`, which has no labels.
    func metric(_ name: String) throws -> Double? {
        let port = try #require(admin.split(separator: ":").last.flatMap { UInt16($0) })
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        let request = "GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
        try #require(Glibc.write(client, request, request.utf8.count) == request.utf8.count)
        var (answer, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65536))
        while case let count = read(client, &buffer, buffer.count), count > 0 { answer += buffer[..<count] }
        return String(decoding: answer, as: UTF8.self).split(whereSeparator: \.isNewline)
            .first { $0.hasPrefix("\(name) ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    /// Sends the signal and returns the exit status.
    func stop(_ signal: Int32 = SIGTERM) -> Int32 {
        guard child > 0 else { return -1 }
        kill(child, signal)
        defer { child = 0 }
        return Program.wait(child)
    }

    deinit { if child > 0 { _ = stop(SIGKILL) } }
}
