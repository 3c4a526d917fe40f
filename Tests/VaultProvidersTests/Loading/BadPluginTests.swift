import Foundation
import Testing
import VaultBase

@testable import VaultProviders

@Suite struct BadPluginTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        /// A word of the fault's message.
        var says: String
        var flags: [String] = []
        var testDescription: String { name }
    }

    /// Those that are only wrong.
    static let wrong: [Bad] = [
        Bad(name: "no symbol", text: "int something_else;", says: "vault_plugin_v1"),
        Bad(
            name: "other version",
            text:
                "static const vault_provider_v1 p = {.abi = 2}; const vault_provider_v1 *vault_plugin_v1(void) { return &p; }",
            says: "version 2"),
        Bad(name: "refuses", text: "const vault_provider_v1 *vault_plugin_v1(void) { return 0; }", says: "refuses"),
        Bad(
            name: "missing function",
            text: Workshop.plugin("x", before: "void nowhere(void);", entry: "nowhere(); return &p;"),
            says: "cannot be loaded"),
        Bad(name: "bad id", text: Workshop.plugin("Bad Id"), says: "its id"),
        Bad(name: "plain http", text: Workshop.plugin("x", ".revoke = \"http://x.example/r\","), says: "its revoke"),
        Bad(name: "other host", text: Workshop.plugin("x", ".hosts = \"y.example\","), says: "its hosts"),
        Bad(name: "not UTF-8", text: Workshop.plugin("x", ".display_name = \"\\xff\\xfe\","), says: "its display_name"),
        Bad(
            name: "control characters", text: Workshop.plugin("x", ".api_prefix = \"Bearer\\r\\nHost: y\","),
            says: "its api_prefix"),
        Bad(
            name: "unending array",
            text: Workshop.plugin(
                "x", ".names = many,",
                before: "static const vault_pair_v1 many[80] = {[0 ... 79] = {\"scope\", \"s\"}};"), says: "64 elements"
        ),
        Bad(
            name: "unending text",
            text: Workshop.plugin(
                "x", ".scopes = text,", before: "static const char text[8000] = {[0 ... 7998] = 'a'};"),
            says: "its scopes"),
        Bad(
            name: "fixed state",
            text: Workshop.plugin("x", ".authorize_parameters = (const vault_pair_v1[]){{\"state\", \"1\"}, {0}},"),
            says: "authorize_parameters"),
        Bad(
            name: "no state", text: Workshop.plugin("x", ".names = (const vault_pair_v1[]){{\"state\", \"\"}, {0}},"),
            says: "leaves out state"),
        Bad(
            name: "no challenge",
            text: Workshop.plugin("x", ".names = (const vault_pair_v1[]){{\"authorize.code_challenge\", \"\"}, {0}},"),
            says: "leaves out code_challenge"),
        Bad(
            name: "swapped",
            text: Workshop.plugin("x", ".names = (const vault_pair_v1[]){{\"state\", \"nonce\"}, {0}},"),
            says: "nonce to two"),
        Bad(
            name: "own Host header",
            text: Workshop.plugin("x", ".api_headers = (const vault_pair_v1[]){{\"Host\", \"y\"}, {0}},"),
            says: "api_headers"),
        Bad(
            name: "unknown place", text: Workshop.plugin("x", ".revoke = \"https://x.example/{client_secret}\","),
            says: "its revoke"),
        Bad(
            name: "unknown stage",
            text: Workshop.plugin("x", ".shapes = (const vault_shape_v1[]){{.stage = \"login\"}, {0}},"),
            says: "its shapes"),
        Bad(
            name: "unknown encoding",
            text: Workshop.plugin("x", ".shapes = (const vault_shape_v1[]){{.stage = \"token\", .encoding = 9}, {0}},"),
            says: "its encoding"),
        Bad(name: "unknown choice", text: Workshop.plugin("x", ".pkce = 7,"), says: "its pkce"),
        Bad(name: "unknown flag", text: Workshop.plugin("x", ".flags = 1024,"), says: "its flags"),
        Bad(name: "negative time", text: Workshop.plugin("x", ".idle_lifetime = -1,"), says: "its idle_lifetime"),
        Bad(
            name: "rule that always matches",
            text: Workshop.plugin(
                "x", ".errors = (const vault_error_v1[]){{.failure = VAULT_RECONNECT, .contains = \"\"}, {0}},"),
            says: "its errors"),
        Bad(
            name: "no profile",
            text:
                "static const vault_provider_v1 p = {.abi = VAULT_ABI_V1, .id = \"x\", .name = \"X\", .issuer = \"https://x.example\", .authorize = \"https://x.example/a\", .token = \"https://x.example/t\"}; const vault_provider_v1 *vault_plugin_v1(void) { return &p; }",
            says: "its profile"),
        Bad(name: "no such flow", text: Workshop.plugin("x", ".flow = 3,"), says: "its flow"),
        Bad(
            name: "a browser's token nobody is asked about",
            text: Workshop.plugin("x", ".flow = VAULT_FLOW_BROWSER_TOKEN, .refresh_rule = VAULT_REFRESH_NONE,"),
            says: "its validate"),
        Bad(
            name: "a browser's refresh token",
            text: Workshop.plugin("x", ".flow = VAULT_FLOW_BROWSER_TOKEN, .validate = \"https://x.example/v\","),
            says: "its refresh_rule"),
        Bad(
            name: "a client without a secret",
            text: Workshop.plugin(
                "x",
                ".flow = VAULT_FLOW_CLIENT_CREDENTIALS, .client = VAULT_CLIENT_NONE, .refresh_rule = VAULT_REFRESH_NONE,"
            ),
            says: "its client"),
        Bad(
            name: "somebody's account for the client's own tokens",
            text: Workshop.plugin(
                "x", ".flow = VAULT_FLOW_CLIENT_CREDENTIALS, .refresh_rule = VAULT_REFRESH_NONE,"),
            says: "its account"),
        Bad(
            name: "a private key that is sent",
            text: Workshop.plugin(
                "x", ".more = (const vault_pair_v1[]){{\"jwt.algorithm\", \"ES256\"}, {\"jwt.key_id\", \"k\"}, {0}},"),
            says: "its client"),
        Bad(
            name: "another algorithm",
            text: Workshop.plugin("x", ".more = (const vault_pair_v1[]){{\"jwt.algorithm\", \"none\"}, {0}},"),
            says: "its jwt.algorithm"),
        Bad(
            name: "a JWT for a year",
            text: Workshop.plugin("x", ".more = (const vault_pair_v1[]){{\"jwt.lifetime\", \"31536000\"}, {0}},"),
            says: "its jwt.lifetime"),
        Bad(
            name: "an example of nothing",
            text: Workshop.plugin("x", ".more = (const vault_pair_v1[]){{\"example.exchange.account\", \"{}\"}, {0}},"),
            says: "its example.exchange.account"),
    ]

    /// Those that would take the process with them that they run in.
    static let deadly: [Bad] = [
        Bad(
            name: "aborts in init",
            text: Workshop.plugin(
                "x", before: "#include <stdlib.h>\n__attribute__((constructor)) static void init(void) { abort(); }"),
            says: "signal 6"),
        Bad(
            name: "aborts in entry", text: Workshop.plugin("x", before: "#include <stdlib.h>", entry: "abort();"),
            says: "signal 6"),
        Bad(
            name: "crashes in init",
            text: Workshop.plugin(
                "x", before: "__attribute__((constructor)) static void init(void) { *(volatile int *)8 = 1; }"),
            says: "signal 11"),
        Bad(
            name: "crashes in entry",
            text: Workshop.plugin("x", entry: "return *(const vault_provider_v1 *volatile *)16;"), says: "signal 11"),
        Bad(name: "wild pointers", text: Workshop.plugin("x", ".scopes = (const char *)24,"), says: "signal 11"),
        Bad(
            name: "exits", text: Workshop.plugin("x", before: "#include <stdlib.h>", entry: "exit(0);"),
            says: "ended with status 0"),
        Bad(
            name: "loops in init",
            text: Workshop.plugin(
                "x",
                before: "__attribute__((constructor)) static void init(void) { for (;;) { __asm__ volatile(\"\"); } }"),
            says: "did not load within"),
        Bad(
            name: "loops in entry", text: Workshop.plugin("x", entry: "for (;;) { __asm__ volatile(\"\"); }"),
            says: "did not load within"),
        Bad(
            name: "overflows its stack",
            text: Workshop.plugin(
                "x",
                before: """
                    static int down(int n) {
                        volatile char room[65536];
                        for (unsigned i = 0; i < sizeof room; i += 512) room[i] = (char)n;
                        return down(n + 1) + room[n & 0xFF];
                    }
                    """, entry: "return down(0) ? &p : 0;"), says: "signal 11"),
        Bad(
            name: "eats memory",
            text: Workshop.plugin(
                "x", before: "#include <stdlib.h>\n#include <string.h>",
                entry: "for (;;) { char *m = malloc(1 << 26); if (!m) abort(); memset(m, 1, 4096); }"), says: "signal 6"
        ),
        Bad(
            name: "talks nonsense to the host",
            text: Workshop.plugin(
                "x", before: "#include <unistd.h>",
                entry: "if (write(3, \"\\377\\377\\377\\377nonsense\", 12) < 0) return 0; return &p;"), says: "nonsense"
        ),
        Bad(
            name: "closes the socket",
            text: Workshop.plugin("x", before: "#include <unistd.h>", entry: "close(3); return &p;"),
            says: "while it was loaded"),
    ]

    /// One that is right, to lie beside each of them.
    static let good = Result { "\(try Workshop.folder("good", c: Workshop.plugin("good")))/good.so" }

    func expectOnlyItsOwnReport(_ bad: Bad, _ isolation: Isolation) async throws {
        let folder = try Workshop.folder("bad", c: bad.text, flags: bad.flags)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: Self.good.get(), toPath: "\(folder)/good.so")
        var patience = Workshop.patient
        if bad.name.contains("loops") { patience.load = .seconds(5) }
        let reports = await Workshop.load(folder, isolation, patience: patience)
        try #require(reports.count == 2)
        #expect(reports[0].provider == nil)
        #expect(reports[0].fault?.code == .plugin)
        #expect(reports[0].fault?.hint != nil)
        #expect(reports[0].fault?.message.contains(bad.says) == true, "\(String(describing: reports[0].fault))")
        #expect(reports[1].provider?.description.id == "good", "\(String(describing: reports[1].fault))")
    }

    @Test(arguments: wrong) func refusesAWrongPluginHere(_ bad: Bad) async throws {
        try await expectOnlyItsOwnReport(bad, .inProcess)
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"), arguments: wrong + deadly)
    func aBadPluginInAProcessCostsItsOwnReportAlone(_ bad: Bad) async throws {
        try await expectOnlyItsOwnReport(bad, .process)
    }

    /// Tries what a plugin has no business doing and puts what worked into its id.
    static let probe = #"""
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdio.h>
        #include <sys/mman.h>
        #include <sys/ptrace.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static char id[32];
        static vault_provider_v1 p;
        static unsigned early;
        static void *thread(void *x) { return x; }
        static unsigned attempts(void) {
            unsigned did = 0;
            pthread_t t;
            char *const none[] = {0};
            if (open("/etc/passwd", O_RDONLY) >= 0) did |= 1;
            if (open("/tmp/vault-plugin-was-here", O_CREAT | O_WRONLY, 0600) >= 0) did |= 2;
            if (socket(AF_INET, SOCK_STREAM, 0) >= 0) did |= 4;
            if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0) did |= 8;
            if (kill(getppid(), 0) == 0) did |= 16;
        #ifndef GENTLE
            if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0) did |= 32;
        #endif
            if (pthread_create(&t, 0, thread, 0) == 0) did |= 64;
            pid_t child = fork();
            if (child == 0) _exit(0);
            if (child > 0) { did |= 128; waitpid(child, 0, 0); }
            errno = 0;
            if (execve("/nonexistent", none, none) < 0 && errno == ENOENT) did |= 256;
            if (getenv("HOME") || getenv("USER") || getenv("VAULT_TEST_SECRET")) did |= 512;
            char memory[64];
            snprintf(memory, sizeof memory, "/proc/%d/mem", getppid());
            if (open(memory, O_RDONLY) >= 0 || open("/proc/self/mem", O_RDWR) >= 0) did |= 2048;
            for (int fd = 4; fd < 256; fd++) if (fcntl(fd, F_GETFD) >= 0) did |= 1024;
            return did;
        }
        __attribute__((constructor)) static void init(void) { early = attempts(); }
        const vault_provider_v1 *vault_plugin_v1(void) {
            snprintf(id, sizeof id, "probe-%x-%x", early, attempts());
            p.abi = VAULT_ABI_V1; p.id = id; p.name = "Probe"; p.issuer = "https://x.example";
            p.authorize = p.token = p.profile = "https://x.example/";
            return &p;
        }
        """#

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aPluginInAProcessReachesNothing() async throws {
        let folder = try Workshop.folder("probe", c: "#include <stdlib.h>\n" + Self.probe)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let shut = await Workshop.load(folder, .process)
        #expect(shut.first?.provider?.description.id == "probe-0-0", "\(String(describing: shut.first?.fault))")
        // The probe itself works: here, where it may, it reaches plenty. (Not ptrace: it would stop the tests.)
        try Workshop.compile("#include <stdlib.h>\n" + Self.probe, to: "\(folder)/probe.so", flags: ["-DGENTLE"])
        let open = await Workshop.load(folder, .inProcess)
        #expect(open.first?.provider.map { !$0.description.id.contains("-0") } == true)
        try? FileManager.default.removeItem(atPath: "/tmp/vault-plugin-was-here")
    }

    /// Whether any readable page of a process holds these bytes; nil where this user may not look.
    static func holds(_ marker: [UInt8], pid: String) -> Bool? {
        let memory = open("/proc/\(pid)/mem", O_RDONLY | O_CLOEXEC)
        // Page by page, as the kernel gives it.
        guard memory >= 0, let maps = try? PluginFile.read("/proc/\(pid)/maps", limit: 1 << 24) else { return nil }
        defer { close(memory) }
        var page = [UInt8](repeating: 0, count: 1 << 16)
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") where line.contains(" rw") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
            guard ends.count == 2 else { continue }
            for place in stride(from: ends[0], to: ends[1], by: page.count - marker.count) {
                let size = min(page.count, ends[1] - place)
                let count = pread(memory, &page, size, place)
                if count > 0, Data(page.prefix(count)).range(of: Data(marker)) != nil { return true }
            }
        }
        return false
    }

    /// The child is a program of its own, started and not forked: nothing of this process was ever in it.
    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func whatIsSecretHereNeverWasInTheChild() async throws {
        var key = (0..<32).map { _ in UInt8.random(in: 1...254) }
        let folder = try Workshop.folder("hooked", c: ReloadTests.hooked("hooked", "one"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reports = await Workshop.load(folder, .process)
        let child = try #require(ReloadTests.children(folder).first)
        // The probe finds it where it is: a copy, since an array may move.
        let kept = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 16)
        defer { kept.deallocate() }
        kept.copyBytes(from: key)
        #expect(Self.holds(Array(key), pid: "self") == true)
        let found = Self.holds(key, pid: child)
        withExtendedLifetime(reports) {}
        key = []
        guard let found else {
            print("skipped: /proc/\(child)/mem may not be read by this user")
            return
        }
        #expect(!found)
    }

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func aHostThatIsNoVaultIsNamed() async throws {
        let folder = try Workshop.folder(c: Workshop.plugin("x"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for program in [["/bin/cat"], ["/nonexistent/vault", "plugin-host"], []] {
            let report = await PluginFolder(path: folder, isolation: .process, hostProgram: program).load()
            #expect(report.count == 1 && report[0].fault?.code == .plugin && report[0].fault?.hint != nil)
        }
    }
}
