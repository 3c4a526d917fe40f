import Dispatch
import Glibc
import NIOCore
import Vault
import VaultBase
import VaultCrypto
import VaultRecords

/// Checks a store in a child process of this same program: a damaged page kills that, and is a finding here.
///
/// Started with posix_spawn, never by fork: the open store and its locks stay with this process alone.
enum CheckChild {
    typealias Step = @Sendable (Int, Int) -> Void

    /// How long the child may say nothing, in ms: it tells its progress every 1024 values.
    private static let patience: Int32 = 120_000

    /// Checks the store that this process has open.
    static func beside(_ store: String, key: GuardedKey, _ step: @escaping Step) async throws -> CheckDocument {
        try await onOwnThread {
            try run(["check-walk", "--beside", store], input: key, step)
        }
    }

    /// Checks the store of these settings, which nobody has open; the child finds its key itself.
    static func alone(_ options: CommonOptions, _ step: @escaping Step) async throws -> CheckDocument {
        let config = options.config.map { ["--config", $0] } ?? []
        let arguments = ["check-walk"] + config + options.assignments.flatMap { ["--set", $0] }
        return try await onOwnThread { try run(arguments, input: nil, step) }
    }

    private static func onOwnThread<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "vault.check").async { continuation.resume(with: Result { try work() }) }
        }
    }

    private static func run(_ arguments: [String], input key: GuardedKey?, _ step: @escaping Step) throws
        -> CheckDocument
    {
        let output = try Pipe()
        let input = try key.map { key in
            let pipe = try Pipe()
            // 32 bytes always fit into a pipe.
            _ = key.withBytes { Glibc.write(pipe.end, $0.baseAddress!, $0.count) }
            pipe.closeEnd()
            return pipe
        }
        // With a key handed over it needs nothing else; otherwise it reads the same settings as this process.
        var variables = key == nil ? ProcessRules.environment : [:]
        variables["SWIFT_BACKTRACE"] = "enable=no"
        let child = try spawn(arguments, variables, input: input?.start, output: output.end)
        output.closeEnd()
        input?.closeStart()
        var answers = Answers(step)
        while answers.take(output.start, patience: patience) {}
        if answers.isStuck { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return try answers.document(ended: status & 0x7F)
    }

    /// Descriptors that some library forgot to keep to this process. Glibc shows the call to GNU sources only.
    private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let address = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return }
        _ = unsafeBitCast(address, to: CloseFrom.self)(&actions, 3)
    }

    private static func spawn(
        _ arguments: [String], _ variables: [String: String], input: Int32?, output: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input { posix_spawn_file_actions_adddup2(&actions, input, 0) }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        closeOthers(&actions)

        let words = [ProcessRules.program] + arguments
        var vector: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var block: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in vector + block { free(word) } }
        var child = pid_t()
        let fault = posix_spawn(&child, words[0], &actions, nil, &vector, &block)
        guard fault == 0 else {
            throw VaultError(.unavailable, "the check's own process cannot be started: \(systemWords(fault))")
        }
        return child
    }
}

/// A pipe whose two ends are closed once each.
private final class Pipe {
    private(set) var start: Int32 = -1
    private(set) var end: Int32 = -1

    init() throws(VaultError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw VaultError(.unavailable, "there is no pipe left: \(systemWords(errno))")
        }
        (start, end) = (ends[0], ends[1])
        for descriptor in ends { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    func closeStart() {
        if start >= 0 { close(start) }
        start = -1
    }

    func closeEnd() {
        if end >= 0 { close(end) }
        end = -1
    }

    deinit {
        closeStart()
        closeEnd()
    }
}

/// What the child said so far.
private struct Answers {
    private let step: CheckChild.Step
    private var rest: [UInt8] = []
    private var problems: [CheckDocument.Problem] = []
    private var checked: CheckDocument?
    private var failure: VaultError?
    private(set) var isStuck = false

    init(_ step: @escaping CheckChild.Step) { self.step = step }

    /// Reads on; false when there is nothing more.
    mutating func take(_ descriptor: Int32, patience: Int32) -> Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let ready = poll(&poller, 1, patience)
        if ready < 0 { return errno == EINTR }
        guard ready > 0 else {
            isStuck = true
            return false
        }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0 { return errno == EINTR }
        rest += buffer[..<count]
        // A frame begins with a brace; last words do not.
        while rest.first == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = ByteBuffer(bytes: rest[..<end])
            rest.removeSubrange(...end)
            if let reply = try? AdminSocket.read(AdminSocket.Reply.self, from: line) { hear(reply) }
        }
        return count > 0
    }

    private mutating func hear(_ reply: AdminSocket.Reply) {
        switch reply {
        case .event(.progress(let done, let total)): step(done, total)
        case .event(.problem(let problem)): problems.append(problem)
        case .event(.checked(let document)): checked = document
        case .failed(let told): failure = told.error
        case .event, .done: break
        }
    }

    /// - Parameter signal: what ended the child, or 0.
    func document(ended signal: Int32) throws -> CheckDocument {
        if let checked { return checked }
        if let failure { throw failure }
        guard isStuck || CheckPlace.signals.contains(signal) else {
            throw VaultError(
                .unavailable,
                signal == 0
                    ? "the check's own process ended early" : "the check's own process was killed by signal \(signal)",
                hint: "try again when there is more memory")
        }
        let end = isStuck ? "the walk came no further" : "it ended the process that read it, signal \(signal)"
        let last = CheckDocument.Problem(CheckPlace.problem(Array(rest.suffix(CheckPlace.size)), end: end))
        return CheckDocument(unfinished: problems + [last])
    }
}
