import Foundation
import Testing
import VaultBase

@testable import VaultProviders

@Suite struct HookPluginTests {
    /// Signs a request with what it is given, and turns `key=` of a text answer into JSON. A scope tells it to fail.
    static let signer = Workshop.plugin(
        "signer", ".flags = VAULT_HOOK_NEEDS_SECRET, .settings = \"region\", .prepare = prepare, .parse = parse,",
        before: #"""
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <unistd.h>
            static int down(int n) {
                volatile char room[65536];
                for (unsigned i = 0; i < sizeof room; i += 512) room[i] = (char)n;
                return down(n + 1) + room[n & 0xFF];
            }
            static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {
                if (!strcmp(call->scope, "refuse")) return VAULT_REFUSED;
                if (!strcmp(call->scope, "crash")) abort();
                if (!strcmp(call->scope, "hang")) for (;;) __asm__ volatile("");
                while (!strcmp(call->scope, "sleep")) usleep(10000);
                if (!strcmp(call->scope, "greedy") && !call->allocate(call, 100000)) return VAULT_REFUSED;
                if (!strcmp(call->scope, "evil")) { message->url = "https://evil.example/"; return VAULT_DONE; }
                if (!strcmp(call->scope, "huge")) { message->body_size = 100u << 20; return VAULT_DONE; }
                if (!strcmp(call->scope, "smuggle")) {
                    static const vault_pair_v1 bad[] = {{"X-A", "1\r\nHost: evil.example"}, {0}};
                    message->headers = bad; return VAULT_DONE;
                }
                if (!strcmp(call->scope, "overflow")) return down(0) ? VAULT_DONE : VAULT_REFUSED;
                size_t size = strlen(message->url) + 200;
                char *url = call->allocate(call, size);
                if (!url) return VAULT_REFUSED;
                snprintf(url, size, "%s?stage=%u&now=%lld&who=%s&secret=%s&%s=%s", message->url, call->stage,
                         (long long)call->now, call->client_id, call->client_secret ? call->client_secret : "none",
                         call->settings[0].name ? call->settings[0].name : "no",
                         call->settings[0].value ? call->settings[0].value : "setting");
                message->url = url;
                vault_pair_v1 *headers = call->allocate(call, 16 * sizeof(vault_pair_v1));
                size_t n = 0;
                while (message->headers[n].name) { headers[n] = message->headers[n]; n++; }
                headers[n].name = "X-Signature";
                headers[n].value = "signed";
                message->headers = headers;
                return VAULT_DONE;
            }
            static int32_t parse(const vault_call_v1 *call, vault_message_v1 *message) {
                if (message->body_size < 4 || memcmp(message->body, "key=", 4)) return VAULT_DONE;
                char *body = call->allocate(call, message->body_size + 64);
                message->body_size = (size_t)sprintf(body, "{\"access_token\":\"%.*s\"}", (int)message->body_size - 4,
                                                     (const char *)message->body + 4);
                message->body = (const uint8_t *)body;
                return VAULT_DONE;
            }
            """#)

    struct Clock: WallClock { func now() -> Timestamp { Timestamp(seconds: 1234) } }

    func engine(
        _ isolation: Isolation, _ patience: PluginProcess.Patience = Workshop.patient, in place: String? = nil
    ) async throws -> FlowEngine {
        let folder = try place ?? Workshop.folder("signer", c: Self.signer)
        let reports = await Workshop.load(folder, isolation, patience: patience)
        let provider = try #require(reports.first?.provider, "\(String(describing: reports.first?.fault))")
        return FlowEngine(
            Platform(
                name: try PlatformName("signer"), provider: provider, clientID: "me", clientSecret: Secret("s3c"),
                redirectURI: "https://app.example/cb", parameters: ["region": "eu", "other": "no"]), clock: Clock())
    }

    @Test(arguments: isolations) func aHookSeesAndChangesWhatItMay(_ isolation: Isolation) async throws {
        let engine = try await engine(isolation)
        for _ in 0..<3 {
            let request = try await engine.refreshRequest(refreshToken: Secret("r"), scope: "a")
            #expect(request.url == "https://signer.example/t?stage=3&now=1234&who=me&secret=s3c&region=eu")
            #expect(request.headers.contains { $0.name == "X-Signature" && $0.value == "signed" })
            #expect(request.form["refresh_token"] == "r")
            let grant = try await engine.readTokens(
                ProviderAnswer(status: 200, headers: [], body: Array("key=abc".utf8)), stage: .refresh,
                now: Clock().now())
            #expect(grant.accessToken == Secret("abc"))
        }
    }

    @Test(arguments: isolations) func whatAHookReturnsIsCheckedAgain(_ isolation: Isolation) async throws {
        let engine = try await engine(isolation)
        for scope in ["refuse", "evil", "greedy", "huge", "smuggle"] {
            let error = await #expect(throws: VaultError.self) {
                try await engine.refreshRequest(refreshToken: Secret("r"), scope: scope)
            }
            #expect(error?.code == .plugin)
        }
        #expect(try await engine.refreshRequest(refreshToken: Secret("r"), scope: "a").method == "POST")
    }

    @Test(
        .enabled(if: Workshop.hostProgram != nil, "the vault program is not built"),
        arguments: ["crash", "hang", "overflow"])
    func aHookThatFailsCostsOneCall(_ scope: String) async throws {
        var patience = Workshop.patient
        patience.restart = .zero
        if scope == "hang" { patience.call = .milliseconds(200) }
        let engine = try await engine(.process, patience)
        for _ in 0..<2 {
            let error = await #expect(throws: VaultError.self) {
                try await engine.refreshRequest(refreshToken: Secret("r"), scope: scope)
            }
            #expect(error?.code == .retry)
            let ending = ["crash": "signal 6", "hang": "longer than", "overflow": "signal 11"][scope] ?? "?"
            #expect(error?.message.contains(ending) == true)
        }
        // A machine under load may be slow to start the next child, never unable.
        var request: ProviderRequest?
        for _ in 0..<50 where request == nil {
            request = try? await engine.refreshRequest(refreshToken: Secret("r"), scope: "a")
        }
        #expect(request?.url.hasPrefix("https://signer.example/t?stage=3") == true)
    }

    /// Its thread cannot be stopped: it hangs until a file appears, so that the test leaves none behind.
    @Test func aHookThatHangsInThisProcessIsGivenUp() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Workshop.compile(
            Workshop.plugin(
                "sleeper", ".prepare = prepare,",
                before: """
                    #include <string.h>
                    #include <unistd.h>
                    static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {
                        (void)message;
                        while (!strcmp(call->scope, "hang") && access("\(folder)/go", F_OK)) usleep(1000);
                        return VAULT_DONE;
                    }
                    """), to: "\(folder)/sleeper.so")
        var patience = Workshop.patient
        patience.call = .milliseconds(300)
        let report = try #require(await Workshop.load(folder, .inProcess, patience: patience).first)
        let engine = FlowEngine(
            Platform(
                name: try PlatformName("sleeper"), provider: try #require(report.provider), clientID: "me",
                clientSecret: nil, redirectURI: "https://app.example/cb"))
        for scope in ["hang", "a"] {
            let error = await #expect(throws: VaultError.self) {
                try await engine.refreshRequest(refreshToken: Secret("r"), scope: scope)
            }
            #expect(error?.code == .retry && error?.message.contains("hangs") == true)
        }
        #expect(FileManager.default.createFile(atPath: "\(folder)/go", contents: nil))
        // When the thread comes back, so does the plugin.
        var request: ProviderRequest?
        for _ in 0..<500 where request == nil {
            request = try? await engine.refreshRequest(refreshToken: Secret("r"), scope: "a")
            if request == nil { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(request != nil)
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aFailedPluginIsNotStartedAgainAtOnce() async throws {
        var patience = Workshop.patient
        patience.restart = .seconds(3600)
        let engine = try await engine(.process, patience)
        _ = try? await engine.refreshRequest(refreshToken: Secret("r"), scope: "crash")
        let error = await #expect(throws: VaultError.self) {
            try await engine.refreshRequest(refreshToken: Secret("r"), scope: "a")
        }
        #expect(error?.message.contains("started again") == true)
        #expect((error?.retryAfter ?? .zero) > .zero)
    }

    /// One that waited behind others for longer than a call may take: nothing is wrong with the child.
    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aCallThatWaitedTooLongIsNotMade() async throws {
        let folder = try Workshop.folder("signer", c: Self.signer)
        var patience = Workshop.patient
        patience.call = .zero
        let engine = try await engine(.process, patience, in: folder)
        let child = ReloadTests.children(folder)
        for _ in 0..<3 {
            let error = await #expect(throws: VaultError.self) {
                try await engine.refreshRequest(refreshToken: Secret("r"), scope: "a")
            }
            #expect(error?.code == .retry && error?.message.contains("busy") == true, "\(String(describing: error))")
        }
        #expect(child.count == 1 && ReloadTests.children(folder) == child)
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"), .timeLimit(.minutes(5)))
    func aQueueHasAnEnd() async throws {
        let folder = try Workshop.folder("signer", c: Self.signer)
        var patience = Workshop.patient
        patience.restart = .seconds(3600)
        let engine = try await engine(.process, patience, in: folder)
        let child = try #require(ReloadTests.children(folder).first.flatMap { pid_t($0) })
        await withTaskGroup(of: VaultError?.self) { group in
            for _ in 0..<PluginProcess.queueLimit + 3 {
                group.addTask {
                    do throws(VaultError) {
                        _ = try await engine.refreshRequest(refreshToken: Secret("r"), scope: "sleep")
                        return nil
                    } catch { return error }
                }
            }
            // The first call does not return, so who is answered now was refused.
            for _ in 0..<3 {
                let error = await group.next() ?? nil
                #expect(error?.code == .retry && error?.message.contains("busy") == true)
                #expect(error?.hint != nil && (error?.retryAfter ?? .zero) > .zero)
            }
            kill(child, SIGKILL)
            for await error in group { #expect(error?.code == .retry) }
        }
    }

    /// Whoever can put another file there must not have it run by crashing the one that was checked.
    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aFileIsCheckedAgainBeforeItIsStartedAgain() async throws {
        let folder = try Workshop.folder("signer", c: Self.signer)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var patience = Workshop.patient
        patience.restart = .zero
        let engine = try await engine(.process, patience, in: folder)
        func crash() async { _ = try? await engine.refreshRequest(refreshToken: Secret("r"), scope: "crash") }
        func fault() async -> VaultError? {
            do throws(VaultError) {
                _ = try await engine.refreshRequest(refreshToken: Secret("r"), scope: "a")
                return nil
            } catch { return error }
        }
        await crash()
        #expect(await fault() == nil)

        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: "\(folder)/signer.so")
        await crash()
        let open = await fault()
        #expect(open?.code == .plugin && open?.message.contains("may be changed by others") == true)
        #expect(open?.hint?.contains("vault plugins reload") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/signer.so")
        #expect(await fault() == nil)

        // The same description from other bytes.
        try ReloadTests.put(Self.signer + "\nconst char more[] = \"more\";", "\(folder)/signer.so")
        await crash()
        let changed = await fault()
        #expect(changed?.code == .plugin && changed?.message.contains("changed on disk") == true)
        #expect(changed?.hint?.contains("vault plugins reload") == true)
        #expect(ReloadTests.children(folder).isEmpty)
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func leavesNoProcessBehind() async throws {
        let folder = try Workshop.folder("signer", c: Self.signer)
        try Workshop.compile(Workshop.plugin("plain"), to: "\(folder)/plain.so")
        try Workshop.compile(
            Workshop.plugin("dead", before: "#include <stdlib.h>", entry: "abort();"), to: "\(folder)/dead.so")
        func children() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.compactMap { pid in
                let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline").map {
                    String(decoding: $0, as: UTF8.self)
                }
                return line.flatMap { $0.contains("\(folder)/") ? $0 : nil }
            }
        }
        for _ in 0..<5 {
            var reports = await Workshop.load(folder, .process)
            #expect(reports.filter { $0.provider != nil }.count == 2)
            // Only what has hooks stays, and only as long as somebody holds it.
            #expect(try children().allSatisfy { $0.contains("signer.so") })
            #expect(try !children().isEmpty)
            withExtendedLifetime(reports) {}
            reports = []
        }
        var left = try children()
        for _ in 0..<200 where !left.isEmpty {
            usleep(10000)
            left = try children()
        }
        #expect(left.isEmpty)
    }
}
