import Foundation
import Testing
import VaultBase

@testable import VaultProviders

@Suite struct ConformanceTests {
    static func check(_ file: String) async -> ConformanceReport {
        var kit = Conformance(hostProgram: Workshop.hostProgram ?? [], isolation: isolations.last ?? .inProcess)
        kit.patience = PluginProcess.Patience(load: .seconds(120), call: .seconds(120), restart: .zero)
        return await kit.check(file)
    }

    @Test(.enabled(if: Workshop.hasSwift, "building the plugins needs swiftc"))
    func everyPluginOfOursKeepsEveryPromise() async throws {
        let folder = try Workshop.plugins.get()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".so") }
        #expect(names.count >= 20)
        await withTaskGroup(of: ConformanceReport.self) { group in
            for name in names { group.addTask { await Self.check("\(folder)/\(name)") } }
            for await report in group {
                #expect(report.isSound, "\(report.file): \(report.findings.filter { $0.verdict == .broken })")
                let isShort = ["apple-music", "sandbox-music"].contains(report.provider)
                #expect(report.count(.kept) >= (isShort ? 10 : 16), "\(report.file): \(report.count(.kept))")
            }
        }
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        /// The promise it breaks, and no other.
        var breaks: String
        var name: String
        var text: String
        var testDescription: String { "\(breaks): \(name)" }

        init(_ breaks: String, _ name: String, _ members: String, before: String = "", entry: String = "return &p;") {
            (self.breaks, self.name) = (breaks, name)
            text = Workshop.plugin(
                "wrong", members, before: "#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n" + before,
                entry: entry)
        }
    }

    /// A rule of `errors`, alone.
    private static func rule(_ members: String) -> String { ".errors = (const vault_error_v1[]){{\(members)}, {0}}," }
    private static func names(_ pairs: String) -> String { ".names = (const vault_pair_v1[]){\(pairs), {0}}," }
    private static func shape(_ members: String) -> String { ".shapes = (const vault_shape_v1[]){{\(members)}, {0}}," }
    private static func prepare(_ body: String) -> String {
        "static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {"
            + "(void)call; (void)message; \(body) return VAULT_DONE; }"
    }
    private static func parse(_ body: String) -> String {
        prepare(body).replacingOccurrences(of: " prepare(", with: " parse(")
    }
    private static func rules(_ all: String...) -> String {
        ".errors = (const vault_error_v1[]){\(all.joined()) {0}},"
    }
    private static let browser =
        ".flow = VAULT_FLOW_BROWSER_TOKEN, .refresh_rule = VAULT_REFRESH_NONE, .account = VAULT_ACCOUNT_MINTED,"
        + ".validate = \"https://wrong.example/v\", .validate_every = 3600,"
    private static let revoke = ".revoke = \"https://wrong.example/r\","

    static let wrong: [Wrong] = [
        Wrong("file.loads", "its id", "", entry: "return 0;"),
        Wrong(
            "file.constant", "another name in each process", "",
            before: "static vault_provider_v1 q; static char text[32];",
            entry:
                "q = p; for (int n = getpid(), i = 0; i < 8; i++, n /= 10) text[i] = '0' + n % 10; q.name = text; return &q;"
        ),
        Wrong(
            "description.callback", "a fragment",
            ".authorize_parameters = (const vault_pair_v1[]){{\"response_mode\", \"fragment\"}, {0}},"),
        Wrong(
            "description.callback", "a form that is not allowed",
            ".authorize_parameters = (const vault_pair_v1[]){{\"response_mode\", \"form_post\"}, {0}},"),
        Wrong(
            "description.usable", "a host that is no address",
            ".settings = \"base\", .hosts = \"wrong.example {user.base}\", .authorize = \"{user.base}/a\","),
        Wrong("description.validate", "no interval", ".validate = \"https://wrong.example/v\","),
        Wrong("description.validate", "no address", ".validate_every = 3600,"),
        Wrong("requests.exchange", "without the code", names("{\"token.code\", \"\"}")),
        Wrong("requests.exchange", "without the verifier", names("{\"code_verifier\", \"\"}")),
        Wrong("requests.exchange", "without anything", shape(".stage = \"token\", .encoding = VAULT_ENCODING_NONE")),
        Wrong(
            "requests.exchange", "by nobody", shape(".stage = \"token\", .authentication = VAULT_AUTHENTICATION_NONE")),
        Wrong("requests.refresh", "without the token", names("{\"refresh_token\", \"\"}")),
        Wrong(
            "requests.profile", "without the token",
            shape(".stage = \"profile\", .authentication = VAULT_AUTHENTICATION_NONE")),
        Wrong("revocation.request", "without the token", revoke + ".revoke_token_parameter = \"\","),
        Wrong(
            "revocation.done", "a parser that refuses the answer", revoke + ".parse = parse,",
            before: parse("if (call->stage == VAULT_REVOKE && message->status == 200) return VAULT_REFUSED;")),
        Wrong(
            "revocation.unknown", "a token that is gone is revoked for ever",
            revoke + rule(".failure = VAULT_RETRY, .status = 400, .path = \"error\", .equals = \"invalid_token\"")),
        Wrong("revocation.failed", "every 400 is done", revoke + ".revoke_statuses = \"200 400\","),
        Wrong("revocation.failed", "a limit is done", revoke + ".revoke_statuses = \"200 429\","),
        Wrong(
            "failures.dead-grant", "the registration is blamed",
            rule(".failure = VAULT_OPERATOR, .status = 400, .path = \"error\", .equals = \"invalid_grant\"")),
        Wrong(
            "failures.registration", "a dead grant",
            rule(".failure = VAULT_RECONNECT, .path = \"error\", .contains = \"_client\"")),
        Wrong(
            "failures.rate-limit", "a dead grant",
            rule(".failure = VAULT_RECONNECT, .status = 429, .contains = \"{\"")),
        Wrong(
            "failures.outage", "a dead grant",
            rule(".failure = VAULT_RECONNECT, .status = 503, .path = \"error\", .equals = \"invalid_grant\"")),
        Wrong("failures.outage", "ours", rule(".failure = VAULT_OPERATOR, .status = 502, .equals = \"\"")),
        Wrong(
            "failures.page", "a blocked request ends the grant",
            rule(".failure = VAULT_RECONNECT, .status = 403, .contains = \"blocked\"")),
        Wrong(
            "failures.truncated", "half an answer ends the grant",
            rule(".failure = VAULT_RECONNECT, .status = 200, .contains = \"{\\\"access_token\"")),
        Wrong("answers.exchange", "two at one path", ".refresh_token = \"access_token\","),
        Wrong(
            "answers.account", "ids as floating point", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"id\\":9007199254740992}";
                if (call->stage != VAULT_PROFILE || !message->body) return VAULT_DONE;
                if (!memmem(message->body, message->body_size, "9007199254740993", 16)) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
        Wrong(
            "answers.expires-in", "minutes for seconds", ".parse = parse,",
            before: parse(
                """
                char *body = call->allocate(call, message->body_size + 1), *at;
                if (!message->body_size || !body) return VAULT_DONE;
                memcpy(body, message->body, message->body_size);
                if (!(at = memmem(body, message->body_size, "\\"expires_in\\":3600", 17))) return VAULT_DONE;
                memcpy(at + 13, "  60", 4);
                message->body = (const uint8_t *)body;
                """)),
        Wrong(
            "failures.lost-code", "a code that is refused is tried again", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"error\\":\\"temporarily_unavailable\\"}";
                if (call->stage != VAULT_EXCHANGE || message->status != 400 || !message->body) return VAULT_DONE;
                if (!memmem(message->body, message->body_size, "invalid_grant", 13)) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
        Wrong("answers.refresh", "another member's path", ".refresh_token = \"refresh_token|token_type\","),
        Wrong("answers.scope", "another member's path", ".scope = \"token_type\","),
        Wrong(
            "examples.meaning", "an example that is another",
            ".more = (const vault_pair_v1[]){{\"example.refresh.reconnect\", \"{\\\"error\\\":\\\"server_error\\\"}\"}, {0}},"
        ),
        Wrong(
            "examples.meaning", "a parser that loses the token",
            ".parse = parse, .more = (const vault_pair_v1[]){{\"example.exchange.tokens\", \"<key>k</key>\"}, {0}},",
            before: parse("")),
        Wrong(
            "examples.truncated", "half an answer ends the grant",
            """
            .parse = parse, .more = (const vault_pair_v1[]){{"example.refresh.tokens", "<ok/><key>k</key>"}, {0}},
            .errors = (const vault_error_v1[]){{.failure = VAULT_RECONNECT, .path = "half", .equals = "1"}, {0}},
            """,
            before: parse(
                """
                static const char whole[] = "{\\"access_token\\":\\"k\\"}", half[] = "{\\"half\\":\\"1\\"}";
                if (message->body_size < 5 || memcmp(message->body, "<ok/>", 5)) return VAULT_DONE;
                const char *body = memmem(message->body, message->body_size, "</key>", 6) ? whole : half;
                message->body = (const uint8_t *)body; message->body_size = strlen(body);
                """)),
        Wrong(
            "requests.validate", "a browser's token that is not shown",
            browser
                + shape(
                    ".stage = \"validate\", .authentication = VAULT_AUTHENTICATION_NONE")),
        Wrong(
            "failures.dead-grant", "a browser's token that never dies",
            browser
                + rules(
                    "{.failure = VAULT_OPERATOR, .status = 401, .equals = \"\"},",
                    "{.failure = VAULT_OPERATOR, .status = 401, .equals = \"{}\"},")),
        Wrong(
            "failures.outage", "a browser's token that dies of an outage",
            browser + rule(".failure = VAULT_RECONNECT, .status = 502, .equals = \"\"")),
        Wrong(
            "requests.secret", "the client's own secret in a URL",
            ".flow = VAULT_FLOW_CLIENT_CREDENTIALS, .client = VAULT_CLIENT_POST, .refresh_rule = VAULT_REFRESH_NONE,"
                + ".account = VAULT_ACCOUNT_MINTED," + shape(".stage = \"token\", .encoding = VAULT_ENCODING_QUERY")),
        Wrong(
            "hooks.survive", "aborts at a profile", ".prepare = prepare,",
            before: prepare("if (call->stage == VAULT_PROFILE) abort();")),
        Wrong(
            "hooks.survive", "reads an empty body", ".parse = parse,",
            before: parse("if (!message->body_size) *(volatile char *)0 = 0;")),
        Wrong(
            "hooks.serve", "refuses a refresh", ".prepare = prepare,",
            before: prepare("if (call->stage == VAULT_REFRESH) return VAULT_REFUSED;")),
        Wrong(
            "hooks.deterministic", "counts its calls", ".prepare = prepare,",
            before: "static char text[] = \"0\";"
                + prepare(
                    """
                    if (call->stage == VAULT_AUTHORIZE) return VAULT_DONE;
                    text[0] = text[0] == '9' ? '0' : text[0] + 1;
                    vault_pair_v1 *h = call->allocate(call, 32 * sizeof *h);
                    size_t n = 0; for (; message->headers[n].name; n++) h[n] = message->headers[n];
                    h[n].name = "X-Count"; h[n].value = text; message->headers = h;
                    """)),
        Wrong(
            "hooks.deterministic", "asks another clock", ".prepare = prepare,",
            before: "#include <time.h>\n#include <stdio.h>\n"
                + prepare(
                    """
                    if (call->stage == VAULT_AUTHORIZE) return VAULT_DONE;
                    char *text = call->allocate(call, 64);
                    static long long first; if (!first) first = (long long)time(0);
                    snprintf(text, 64, "%lld", first);
                    vault_pair_v1 *h = call->allocate(call, 32 * sizeof *h);
                    size_t n = 0; for (; message->headers[n].name; n++) h[n] = message->headers[n];
                    h[n].name = "X-Time"; h[n].value = text; message->headers = h;
                    """)),
        Wrong(
            "requests.authorize", "another state", ".prepare = prepare,",
            before: prepare(
                """
                if (call->stage != VAULT_AUTHORIZE) return VAULT_DONE;
                message->url = "https://wrong.example/a?state=mine&redirect_uri=https://evil.example";
                """)),
        Wrong(
            "requests.authorize", "the secret for the browser", ".flags = VAULT_HOOK_NEEDS_SECRET, .prepare = prepare,",
            before: "#include <stdio.h>\n"
                + prepare(
                    """
                    if (call->stage != VAULT_AUTHORIZE) return VAULT_DONE;
                    char *url = call->allocate(call, 4096);
                    snprintf(url, 4096, "%s&key=%s", message->url, call->client_secret);
                    message->url = url;
                    """)),
        Wrong(
            "requests.exchange", "a foreign host", ".prepare = prepare,",
            before: prepare("if (call->stage == VAULT_EXCHANGE) message->url = \"https://evil.example/\";")),
        Wrong(
            "requests.refresh", "a second header in one", ".prepare = prepare,",
            before: prepare(
                """
                static const vault_pair_v1 h[] = {{"X-A", "1\\r\\nHost: evil.example"}, {0}};
                if (call->stage == VAULT_REFRESH) message->headers = h;
                """)),
        Wrong(
            "requests.profile", "drops the token", ".prepare = prepare,",
            before: prepare(
                """
                static const vault_pair_v1 h[] = {{"Accept", "*/*"}, {0}};
                if (call->stage == VAULT_PROFILE) message->headers = h;
                """)),
        Wrong(
            "answers.no-account", "everybody is one account", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"id\\":\\"account-1\\"}";
                if (call->stage != VAULT_PROFILE || message->body_size < 3) return VAULT_DONE;
                if (strstr((const char *)message->body, "9007")) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
        Wrong(
            "failures.error-in-200", "makes tokens of errors", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"access_token\\":\\"x\\"}";
                if (message->status != 200 || !memmem(message->body, message->body_size, "\\"error\\"", 7)) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
    ]

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"), arguments: wrong)
    func failsOnOneWrongPromise(_ wrong: Wrong) async throws {
        let folder = try Workshop.folder("wrong", c: wrong.text, flags: ["-D_GNU_SOURCE", "-fvisibility=hidden"])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = await Self.check("\(folder)/wrong.so")
        let broken = report.findings.filter { $0.verdict == .broken }
        #expect(broken.map(\.promise) == [wrong.breaks], "\(broken)")
        #expect(!report.isSound)
        #expect(broken.allSatisfy { $0.hint != nil })
    }

    @Test func aRightPluginIsSoundAndSoIsItsFile() async throws {
        let folder = try Workshop.folder("right", c: Workshop.plugin("right"), flags: ["-fvisibility=hidden"])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = await Self.check("\(folder)/right.so")
        #expect(report.isSound && report.count(.doubtful) == 0, "\(report.findings)")
        #expect(report.provider == "right")
        #expect(report.findings.contains { $0.promise == "file.exports" && $0.verdict == .kept })
        #expect(report.findings.contains { $0.promise == "file.needs" && $0.verdict == .kept })
    }

    /// A library of that name; the sandbox would not let one be read that is not the system's, so there is no Landlock.
    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aSharedSwiftRuntimeIsRefused() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let library = "\(folder)/libswiftFake.so"
        try Workshop.compile("int fake(void) { return 0; }", to: library, flags: ["-Wl,-soname,libswiftFake.so"])
        try Workshop.compile(
            Workshop.plugin("needy", before: "int fake(void);", entry: "return fake() ? 0 : &p;"),
            to: "\(folder)/needy.so",
            flags: ["-fvisibility=hidden", "-Wl,--no-as-needed", library, "-Wl,-rpath,\(folder)"])
        let host = try Workshop.hostProgram(without: ["__NR_landlock_create_ruleset"], in: folder)
        let report = await Conformance(hostProgram: host).check("\(folder)/needy.so")
        let broken = report.findings.filter { $0.verdict == .broken }
        #expect(broken.map(\.promise) == ["file.needs"], "\(broken)")
        #expect(broken.first?.message.contains("libswiftFake.so") == true && broken.first?.hint != nil)
    }

    @Test func whatAFileExportsAndNeedsIsSeen() async throws {
        let folder = try Workshop.folder(
            "open", c: Workshop.plugin("open", before: "#include <stdio.h>\nint helper(void) { return puts(\"\"); }"),
            flags: [])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = try PluginFile.read("\(folder)/open.so", limit: 1 << 24)
        let binary = try #require(PluginBinary(bytes))
        #expect(binary.exports.sorted().filter { !$0.hasPrefix("_") } == ["helper", "vault_plugin_v1"])
        #expect(binary.needs.contains { $0.hasPrefix("libc.") })
        // Damage at any place is a fault or another answer, never the end of this process.
        for offset in stride(from: 0, to: bytes.count, by: 41) {
            var damaged = bytes
            damaged[offset] = 0xFF
            _ = PluginBinary(damaged)
        }
        for size in stride(from: 0, to: bytes.count, by: 97) { _ = PluginBinary(Array(bytes.prefix(size))) }
    }
}
