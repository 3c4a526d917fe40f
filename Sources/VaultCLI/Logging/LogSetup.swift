import Glibc
import Logging
import Synchronization
import VaultBase

/// Hands every logger of the process to ``VaultLogHandler``.
enum LogSetup {
    private static let hasStarted = Atomic(false)
    private static let sink = Mutex<LogSink?>(nil)

    /// How long an end waits for who reads the log.
    private static let patience = Duration.seconds(2)

    /// Call before anything logs; the first call counts.
    ///
    /// - Parameter serves: whether requests must go on when nobody reads the log.
    static func start(format: LogFormat, level: LogLevel, serves: Bool = false) {
        guard !hasStarted.exchange(true, ordering: .relaxed) else { return }
        let json = format == .json || (format == .auto && !Terminal.errorIsTerminal)
        let sink = serves ? queue(json) : nil
        Self.sink.withLock { $0 = sink }
        let write: @Sendable (String) -> Void = { line in
            if let sink { sink.write(line) } else { try? Terminal.write(line, to: STDERR_FILENO) }
        }
        LoggingSystem.bootstrap { label in
            VaultLogHandler(label: label, level: level.level, json: json, write: write)
        }
        // What was logged is written before the process ends, however it does that in order.
        if sink != nil { atexit { LogSetup.flush() } }
    }

    /// Waits until what was logged is written, as long as somebody reads it.
    static func flush() { sink.withLock { $0 }?.flush(within: patience) }

    private static func queue(_ json: Bool) -> LogSink? {
        let handler = VaultLogHandler(label: "vault", level: .warning, json: json, write: { _ in })
        return try? LogSink { lost in
            handler.line(.warning, "log lines were lost: whoever reads the log stalled", [("lines", "\(lost)")])
        }
    }
}
