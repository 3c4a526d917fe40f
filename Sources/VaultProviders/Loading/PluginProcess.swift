import CVaultSandbox
import Synchronization
import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One plugin's child: started, described, called within a deadline, killed and reaped.
///
/// Everything but `init` runs on the worker's thread, one after the other. A call that waited there for longer than a
/// call may take is not made, and no more than ``queueLimit`` wait: whoever calls is answered in time, or soon after
/// when a child has to be started first.
final class PluginProcess: @unchecked Sendable {
    /// How long a plugin may take to load and describe itself, and a hook to answer.
    struct Patience: Sendable {
        var load = Duration.seconds(5)
        var call = Duration.seconds(1)
        /// The wait before the first restart; each further one is twice as long, to a minute.
        var restart = Duration.seconds(1)
    }

    struct Description: Sendable, Equatable {
        var raw: RawDescription
        var protections: [String]
    }

    /// How many calls may wait or run.
    static let queueLimit = 256

    private let path: String
    private let hostProgram: [String]
    private let patience: Patience
    private let verify: @Sendable () throws(VaultError) -> Void
    private let worker = Worker()
    private let calls = Mutex(0)

    // Only the worker's thread touches these.
    private var child: (pid: pid_t, socket: FrameSocket)?
    private var accepted: RawDescription?
    private var failures = 0
    private var restartAt = ContinuousClock.now

    /// - Parameter verify: throws when the file is no longer the one that was checked; asked before it is loaded again.
    init(
        _ path: String, hostProgram: [String], patience: Patience,
        verify: @escaping @Sendable () throws(VaultError) -> Void
    ) {
        self.path = path
        self.hostProgram = hostProgram
        self.patience = patience
        self.verify = verify
    }

    deinit { stop() }

    /// Starts the child and reads what the plugin says. A plugin without hooks has no child afterwards.
    func describe() async throws(VaultError) -> Description {
        try await worker.run { [self] in
            Result { () throws(VaultError) in
                let description = try start()
                accepted = description.raw
                return description
            }
        }.get()
    }

    /// Calls a hook. A child that crashed or hung is replaced, no sooner than the back-off says.
    func call(_ input: HookInput) async throws(VaultError) -> HookOutput {
        let deadline = ContinuousClock.now + patience.call
        let waiting = calls.withLock { calls in
            calls += 1
            return calls
        }
        defer { calls.withLock { $0 -= 1 } }
        guard waiting <= Self.queueLimit else { throw busy }
        return try await worker.run { [self] in
            Result { () throws(VaultError) in try answer(input, by: deadline) }
        }.get()
    }

    private var busy: VaultError {
        VaultError(
            .retry, "the plugin \(name) is busy with other calls",
            hint: "try again in a moment; if that goes on, tell its author that its hooks are slow",
            retryAfter: patience.call)
    }

    // MARK: On the worker's thread

    private func answer(_ input: HookInput, by given: ContinuousClock.Instant) throws(VaultError) -> HookOutput {
        guard given > .now else { throw busy }
        var deadline = given
        if child == nil {
            let wait = restartAt - ContinuousClock.now
            guard wait <= .zero else {
                throw VaultError(
                    .retry, "the plugin \(name) is being started again after it failed", hint: "try again in a moment",
                    retryAfter: wait)
            }
            // The file may be another by now, which nobody has checked.
            try verify()
            let again: RawDescription
            do throws(VaultError) { again = try start().raw } catch {
                backOff()
                throw error
            }
            guard again == accepted else {
                stop()
                throw VaultError(
                    .plugin, "the plugin \(name) describes itself otherwise than before",
                    hint: "look at what there is now: vault plugins reload")
            }
            deadline = .now + patience.call
        }
        guard let socket = child?.socket else { throw VaultError(.plugin, "the plugin \(name) has no hooks") }
        let frame: Frame
        do throws(FrameSocket.Failure) {
            try socket.write(input.frame, by: deadline)
            frame = try socket.read(by: deadline)
        } catch {
            let ending = stop()
            backOff()
            throw VaultError(
                .retry, "the plugin \(name) \(error == .late ? "took longer than \(patience.call)" : ending)",
                hint: "tell its author; its platform alone is affected", retryAfter: patience.restart)
        }
        failures = 0
        guard let output = HookOutput(frame) else {
            throw VaultError(
                .plugin, "the plugin \(name) refused at \(input.stage.rawValue)", hint: "tell its author what was tried"
            )
        }
        return output
    }

    private var name: String { Paths.name(of: path) }

    private func backOff() {
        restartAt = .now + min(patience.restart * (1 << min(failures, 6)), .seconds(60))
        failures += 1
    }

    private func start() throws(VaultError) -> Description {
        stop()
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw VaultError(.plugin, "no socket for it can be made", hint: "raise the limit of open files")
        }
        let pid = spawn(ends[1])
        close(ends[1])
        guard let pid else {
            close(ends[0])
            throw VaultError(
                .plugin, "its process cannot be started", hint: "check that \(hostProgram.first ?? "vault") can be run")
        }
        child = (pid, FrameSocket(descriptor: ends[0]))
        do {
            return try introduce(FrameSocket(descriptor: ends[0]), pid)
        } catch let fault as VaultError {
            stop()
            throw fault
        } catch {
            let ending = stop()
            let what =
                switch error as? FrameSocket.Failure {
                case .late: "did not load within \(patience.load)"
                case .malformed: "spoke nonsense while it was loaded"
                default: "\(ending) while it was loaded"
                }
            throw VaultError(
                .plugin, "it \(what)",
                hint: "nothing else is affected; run it alone with: vault plugin-host, or tell its author", cause: error
            )
        }
    }

    private func introduce(_ socket: FrameSocket, _ pid: pid_t) throws -> Description {
        let deadline = ContinuousClock.now + patience.load
        // Told before any of the plugin's code ran: this can be believed. What the kernel says is asked as well.
        let sandbox = try socket.read(by: deadline).texts ?? []
        guard sandbox.count == 2, sandbox[0] == "sandbox", let before = UInt32(sandbox[1]) else {
            throw VaultError(
                .plugin, "the program that hosts it does not speak as it should",
                hint: "vault runs itself for that; check that \(hostProgram.joined(separator: " ")) is this vault")
        }
        let status = try? PluginFile.read("/proc/\(pid)/status", limit: 65536)
        var active = Protection.confirmed(before, by: status)
        guard try words(socket, deadline) == ["loaded"] else { throw FrameSocket.Failure.malformed }
        switch vault_sandbox_close(pid) {
        case 0: active |= Protection.closed.bit
        case ENOSYS: break  // not Linux
        case let error:
            throw VaultError(
                .plugin, "its process cannot be closed off: \(String(cString: strerror(error)))",
                hint: "let vault limit its own children (prlimit): see the sandbox or container that it runs in")
        }
        try socket.write(Frame(["closed"]), by: deadline)
        let said = try words(socket, deadline)
        guard said.first == "describe", said.count % 2 == 1, said.count <= 1 + 2 * RawDescription.entryLimit else {
            throw FrameSocket.Failure.malformed
        }
        let raw = RawDescription(
            entries: stride(from: 1, to: said.count, by: 2).map { .init(name: said[$0], value: said[$0 + 1]) })
        if !raw.entries.contains(where: { $0.name == "prepare" || $0.name == "parse" }) { stop() }
        return Description(raw: raw, protections: Protection.names(active))
    }

    /// What the child says next.
    ///
    /// - Throws: `plugin` when it is a fault.
    private func words(_ socket: FrameSocket, _ deadline: ContinuousClock.Instant) throws -> [String] {
        guard let said = try socket.read(by: deadline).texts else { throw FrameSocket.Failure.malformed }
        if said.first == "fault", said.count == 3 {
            throw VaultError(.plugin, PluginImage.short(said[1]), hint: PluginImage.short(said[2]))
        }
        return said
    }

    private func spawn(_ descriptor: Int32) -> pid_t? {
        var arguments: [UnsafeMutablePointer<CChar>?] = (hostProgram + [path]).map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        return vault_spawn(&arguments, descriptor, &pid) == 0 ? pid : nil
    }

    /// Kills and reaps the child, if there is one, and says how it ended.
    @discardableResult private func stop() -> String {
        guard let (pid, socket) = child else { return "ended" }
        child = nil
        var status: Int32 = 0
        // It may be ending by itself just now: then that is the story, not our signal. Its socket closes first, and on a
        // busy machine the rest takes a while.
        var reaped = waitpid(pid, &status, WNOHANG)
        var grace = 400
        while reaped == 0, grace > 0, !isOpen(socket) {
            usleep(5000)
            grace -= 1
            reaped = waitpid(pid, &status, WNOHANG)
        }
        let byItself = reaped == pid
        // -1 is no child of ours any more: nobody may be killed by that number.
        if reaped == 0 {
            kill(pid, SIGKILL)
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        }
        close(socket.descriptor)
        let signal = status & 0x7F
        guard byItself else { return "broke off" }
        return signal == 0 ? "ended with status \(status >> 8 & 0xFF)" : "crashed with signal \(signal)"
    }

    /// Whether the child still holds its end.
    private func isOpen(_ socket: FrameSocket) -> Bool {
        var item = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, 0) == 0 || item.revents & Int16(POLLHUP) == 0
    }
}
