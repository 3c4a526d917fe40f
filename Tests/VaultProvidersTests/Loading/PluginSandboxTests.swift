import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// What a plugin in a process of its own can reach: nothing.
@Suite struct PluginSandboxTests {
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
            struct stat status;
            for (int fd = 4; fd < 4096; fd++) if (fstat(fd, &status) == 0) did |= 1024;
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
        // One that every child would inherit.
        let inherited = open("/dev/null", O_RDONLY)
        defer { close(inherited) }
        #expect(inherited > 3 && inherited < 4096)
        let shut = await Workshop.load(folder, .process)
        #expect(shut.first?.provider?.description.id == "probe-0-0", "\(String(describing: shut.first?.fault))")
        // The probe itself works: here, where it may, it reaches plenty. (Not ptrace: it would stop the tests.)
        try Workshop.compile("#include <stdlib.h>\n" + Self.probe, to: "\(folder)/probe.so", flags: ["-DGENTLE"])
        let open = await Workshop.load(folder, .inProcess)
        let id = try #require(open.first?.provider?.description.id)
        let reached = id.split(separator: "-").dropFirst().compactMap { Int($0, radix: 16) }
        #expect(reached.count == 2 && reached.allSatisfy { $0 & 0x4CF == 0x4CF }, "\(id)")
        try? FileManager.default.removeItem(atPath: "/tmp/vault-plugin-was-here")
    }

    /// Tries to keep what a plugin may do while it is loaded: takes back what was set, and has a filter of its own
    /// answer in the kernel's place, for whatever would take more away. Puts what worked into its id, early and late.
    static let faker = #"""
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <signal.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        static char id[32];
        static vault_provider_v1 p;
        static unsigned early;
        #define FAKED(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO)
        static unsigned filter(void) {
            struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                FAKED(__NR_seccomp), FAKED(__NR_landlock_restrict_self), FAKED(__NR_prctl), FAKED(__NR_prlimit64),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
            };
            struct sock_fprog program = {sizeof code / sizeof code[0], code};
            unsigned did = 0;
            if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0) did |= 1;
            if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) did |= 2;
            return did;
        }
        static unsigned opens(void) { return open(SELF, O_RDONLY) >= 0 ? 0x100 : 0; }
        __attribute__((constructor)) static void init(void) {
            struct rlimit now;
            early = opens();
            if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0) early |= 4;
            if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0) early |= 8;
            if (getrlimit(RLIMIT_NOFILE, &now) == 0) early |= 16;
            early |= filter();
        }
        const vault_provider_v1 *vault_plugin_v1(void) {
            close(0);
            snprintf(id, sizeof id, "faker-%x-%x", early, opens());
            p.abi = VAULT_ABI_V1; p.id = id; p.name = "Faker"; p.issuer = "https://x.example";
            p.authorize = p.token = p.profile = "https://x.example/";
            return &p;
        }
        """#

    @Test(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"))
    func anInitialiserCannotKeepTheDoorOpen() async throws {
        let folder = try Workshop.emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Workshop.compile(Self.faker, to: "\(folder)/faker.so", flags: ["-DSELF=\"\(folder)/faker.so\""])
        let report = try #require(await Workshop.load(folder, .process).first)
        // The file could be opened before, and not after.
        #expect(report.provider?.description.id == "faker-100-0", "\(String(describing: report.fault))")
        #expect(report.protections == Protection.allCases.map(\.rawValue) && report.openings.isEmpty)

        // On a kernel without seccomp all of it works but the filter, which shows that the attempts are real; the door
        // is closed by the host all the same.
        let host = try Workshop.hostProgram(without: ["__NR_seccomp"], in: folder)
        let loose = try #require(await Workshop.load(folder, .process, host: host).first)
        #expect(loose.provider?.description.id == "faker-11e-0", "\(String(describing: loose.fault))")
    }

    /// The operator is told what a plugin could do, and nothing is listed that is not there.
    @Test(
        .enabled(if: Workshop.hostProgram != nil, "the vault program is not built"),
        arguments: [
            (["__NR_landlock_create_ruleset"], "landlock", "the vault's key"), (["__NR_seccomp"], "seccomp", "network"),
            (["__NR_prlimit64"], "limits", "memory"),
        ])
    func whatTheKernelLacksIsSaid(_ calls: [String], _ missing: String, _ word: String) async throws {
        let folder = try Workshop.folder("x", c: Workshop.plugin("x"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let host = try Workshop.hostProgram(without: calls, in: folder)
        let report = try #require(await Workshop.load(folder, .process, host: host).first)
        #expect(report.provider != nil, "\(String(describing: report.fault))")
        #expect(report.protections == Protection.allCases.map(\.rawValue).filter { $0 != missing })
        #expect(report.openings.count == 1)
        #expect(report.openings.first?.hasPrefix("without \(missing) it can ") == true)
        #expect(report.openings.first?.contains(word) == true)
    }

    @Test func theKernelsWordIsTakenWhereItIsHeard() {
        let all = Protection.allCases.reduce(0) { $0 | $1.bit }
        func names(_ status: String?) -> [String] {
            Protection.names(Protection.confirmed(all, by: status.map { Array($0.utf8) }))
        }
        let every = Protection.allCases.map(\.rawValue)
        #expect(names("Name:\tvault\nNoNewPrivs:\t1\nSeccomp:\t2\n") == every)
        #expect(names("NoNewPrivs:\t0\nSeccomp:\t2\n") == every.filter { $0 != "no-new-privileges" })
        #expect(names("NoNewPrivs:\t1\nSeccomp:\t0\n") == every.filter { $0 != "seccomp" })
        // Hidden (ProtectProc=invisible): the child's report from before the plugin's code ran.
        #expect(names(nil) == every)
    }
}
