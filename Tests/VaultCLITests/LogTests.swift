import Logging
import Synchronization
import Testing
import VaultBase

@testable import VaultCLI

/// What is logged, and what never is.
@Suite struct LogTests {
    /// Collects lines.
    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    struct Noon: WallClock {
        func now() -> Timestamp { Timestamp(milliseconds: 1_795_435_695_042) }
    }

    static func logger(json: Bool, _ lines: Lines, _ redaction: Redaction = Redaction()) -> Logger {
        Logger(label: "vault") { label in
            VaultLogHandler(
                label: label, level: .trace, json: json, redaction: redaction, clock: Noon(), write: { lines.add($0) })
        }
    }

    struct Line: Decodable {
        var time: String
        var level: String
        var message: String
        var label: String
        var user: String?
    }

    @Test func aLineIsOneObjectWithTimeLevelAndMessage() throws {
        let lines = Lines()
        let odd = "a \"quoted\"\n\tline \\ with \u{1}\u{85}\u{2028} and ü"
        Self.logger(json: true, lines).notice("\(odd)", metadata: ["user": "7f\n3c"])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("\n") && line.dropLast().allSatisfy { !$0.isNewline })
        let read = try JSON.read(Line.self, Array(line.utf8), place: "log", hint: "")
        #expect(read.time == "2026-11-23T13:28:15.042Z" || read.time.hasSuffix(".042Z"))
        #expect(read.level == "notice")
        #expect(read.message == odd)
        #expect(read.user == "7f\n3c")
    }

    @Test func aNameThatIsTakenDoesNotOverwrite() throws {
        let lines = Lines()
        Self.logger(json: true, lines).info("hello", metadata: ["message": "other", "time": "never"])
        let read = try JSON.read(Line.self, Array(lines.all[0].utf8), place: "log", hint: "")
        #expect(read.message == "hello")
        #expect(lines.all[0].contains("\"meta.message\":\"other\""))
    }

    @Test func textIsOneLineWithoutControlCharacters() {
        let lines = Lines()
        Self.logger(json: false, lines).warning("a\u{1B}[31mb\nc", metadata: ["why": "two words"])
        #expect(lines.all[0].dropLast().unicodeScalars.allSatisfy { $0.value >= 0x20 })
        #expect(lines.all[0].contains("warning") && lines.all[0].contains("why=\"two words\""))
    }

    static let canary = "CANARY-9f2c71d0e4"
    static let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.Q0FOQVJZLTlmMmM3MWQwZTQ"

    @Test(
        arguments: [
            ["token": Logger.MetadataValue.string(canary)], ["accessToken": .string(canary)],
            ["refresh_token": .string(canary)], ["client_secret": .string(canary)], ["clientSecret": .string(canary)],
            ["code": .string(canary)], ["state": .string(canary)], ["Authorization": .string("Bearer \(canary)")],
            ["cookie": .string("a=\(canary)")], ["code_verifier": .string(canary)],
            ["secret": .stringConvertible(canary)],
            ["request": .dictionary(["authorization": .string(canary)])],
            ["tokens": .array([.string("token=\(canary)")])],
            ["token": .array([.string(canary)])], ["url": .string("https://a.example/cb?code=\(canary)&iss=x")],
            ["url": .string("/cb?x=1&state=\(canary)")],
            ["body": .string("refresh_token=\(canary)&grant_type=refresh_token")],
        ] as [Logger.Metadata]) func noSecretIsLoggedUnderAnyName(_ metadata: Logger.Metadata)
    {
        for json in [true, false] {
            let lines = Lines()
            Self.logger(json: json, lines).error("it failed", metadata: metadata)
            #expect(!lines.all.joined().contains("CANARY"))
            #expect(lines.all.joined().contains("<redacted>"))
        }
    }

    @Test func whatLooksLikeASessionIsReplacedEverywhere() {
        let lines = Lines()
        Self.logger(json: true, lines).info("got \(Self.jwt), and \(Self.jwt).", metadata: ["x": "\(Self.jwt)"])
        #expect(!lines.all[0].contains("Q0FOQVJZ") && !lines.all[0].contains("eyJzdWIi"))
    }

    @Test func aSecretWeWereGivenIsReplacedEverywhere() {
        let redaction = Redaction()
        redaction.register(Secret(Self.canary))
        let lines = Lines()
        let logger = Self.logger(json: true, lines, redaction)
        logger.info("x\(Self.canary)y\(Self.canary)", metadata: ["place": "(\(Self.canary))"])
        #expect(lines.all[0].contains("x<redacted>y<redacted>") && !lines.all[0].contains("CANARY"))
    }

    @Test func ordinaryWordsStay() {
        let lines = Lines()
        Self.logger(json: false, lines).info(
            "code is fine", metadata: ["code": "no-connection", "url": "http://127.0.0.1:8000/?a=b", "user": "eyJ"])
        #expect(lines.all[0].contains("code=no-connection") && !lines.all[0].contains("redacted"))
    }

    /// What an operator looks for when a provider or a receiver does not answer.
    @Test(arguments: ["timeout", "connection-lost", "tls-failed", "dns-failed", "http-503", "invalid_grant", "removed"])
    func whyARequestFailedStays(code: String) {
        let lines = Lines()
        Self.logger(json: true, lines).warning("refresh.failed", metadata: ["code": "\(code)"])
        #expect(lines.all[0].contains("\"code\":\"\(code)\""))
    }

    @Test(arguments: ["http-abc", "http-5033", "AQB3x-timeout", "4/0Ab", "50312345"])
    func whatCouldBeALoginsCodeDoesNot(code: String) {
        let lines = Lines()
        Self.logger(json: true, lines).warning("login.failed", metadata: ["code": "\(code)"])
        #expect(lines.all[0].contains("<redacted>") && !lines.all[0].contains(code))
    }

    @Test func aForeignErrorIsNamedAndNotQuoted() {
        struct Leaky: Error, CustomStringConvertible { var description: String { LogTests.canary } }
        let lines = Lines()
        let logger = Self.logger(json: true, lines)
        logger.error("it failed", error: Leaky())
        logger.error("it failed", error: VaultError(.retry, "the provider is away"))
        #expect(!lines.all[0].contains("CANARY") && lines.all[0].contains("Leaky"))
        #expect(lines.all[1].contains("the provider is away"))
    }
}
