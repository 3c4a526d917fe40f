import CVaultSandbox
import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// A child dies with the thread that started it, whatever its plugin does: a server that is killed leaves none behind.
///
/// Both ends of its socket stay open here, so that it is not the socket that ends it.
@Suite(.enabled(if: Workshop.hostProgram != nil, "the vault program is not built"), .timeLimit(.minutes(5)))
struct PluginDeathTests {
    enum Place: String, CaseIterable { case initialiser, hook }

    /// Tries to be rid of its host, says so on the socket, and then sleeps for ever.
    static func sleeper(_ place: Place) -> String {
        Workshop.plugin(
            "sleeper", ".prepare = prepare,",
            before: """
                #define _GNU_SOURCE
                #include <signal.h>
                #include <sys/prctl.h>
                #include <unistd.h>
                static void stay(void) {
                    sigset_t all;
                    prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
                    sigfillset(&all);
                    sigprocmask(SIG_BLOCK, &all, 0);
                    if (write(3, "asleep", 6) != 6) _exit(1);
                    for (;;) usleep(10000);
                }
                static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {
                    (void)call; (void)message;
                    \(place == .hook ? "stay();" : "")
                    return VAULT_DONE;
                }
                __attribute__((constructor)) static void init(void) {
                    \(place == .initialiser ? "stay();" : "")
                }
                """)
    }

    /// A child as the host starts one, on a thread of its own that ends when its plugin sleeps or, without one that
    /// does, has described itself.
    final class Started: @unchecked Sendable {
        // The thread writes, and is joined before anybody reads.
        var pid: pid_t = 0
        var socket = FrameSocket(descriptor: -1)
        var heard: [UInt8] = []
        private let command: [String]
        private let place: Place?

        init(_ command: [String], _ place: Place?) throws {
            (self.command, self.place) = (command, place)
            var ends: [Int32] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
            socket = FrameSocket(descriptor: ends[0])
            other = ends[1]
            var thread = pthread_t()
            let me = Unmanaged.passUnretained(self).toOpaque()
            let made = pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<Started>.fromOpaque(argument).takeUnretainedValue().live() }
                    return nil
                }, me)
            try #require(made == 0)
            pthread_join(thread, nil)
        }

        private let other: Int32

        private func live() {
            var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
            defer { for argument in arguments { free(argument) } }
            guard vault_spawn(&arguments, other, &pid) == 0 else { return }
            do {
                _ = try socket.read(by: nil)  // sandbox
                if place != .initialiser {
                    _ = try socket.read(by: nil)  // loaded
                    try socket.write(Frame(["closed"]), by: nil)
                    _ = try socket.read(by: nil)  // describe
                }
                if place == .hook { try socket.write(Self.call, by: nil) }
                while place != nil, heard.count < 6 {
                    var byte: UInt8 = 0
                    guard recv(socket.descriptor, &byte, 1, 0) == 1 else { return }
                    heard.append(byte)
                }
            } catch { return }
        }

        static let call = HookInput(
            .refresh, ProviderRequest(method: "POST", url: "https://sleeper.example/t"),
            HookContext(now: Timestamp(seconds: 1), scope: "", clientID: "me")
        ).frame

        /// Waits for its end and returns the signal that ended it.
        func ending() -> Int32 {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            for descriptor in [socket.descriptor, other] { close(descriptor) }
            return status & 0x7F
        }
    }

    @Test(arguments: Place.allCases) func aPluginThatSleepsDiesWithItsHost(_ place: Place) throws {
        let folder = try Workshop.folder("sleeper", c: Self.sleeper(place))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let child = try Started((Workshop.hostProgram ?? []) + ["\(folder)/sleeper.so"], place)
        #expect(child.heard == Array("asleep".utf8))
        #expect(child.ending() == SIGKILL)
    }

    /// The control: on a kernel that knows no such thing it goes on, and answers.
    @Test func withoutTheProtectionItGoesOn() throws {
        let folder = try Workshop.folder("sleeper", c: ReloadTests.hooked("sleeper", "one"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let host = try Workshop.hostProgram(without: ["__NR_prctl"], in: folder)
        let child = try Started(host + ["\(folder)/sleeper.so"], nil)
        try child.socket.write(Started.call, by: nil)
        #expect(try HookOutput(child.socket.read(by: nil))?.method == "POST")
        kill(child.pid, SIGKILL)
        #expect(child.ending() == SIGKILL)
    }
}
