import Logging
import Synchronization

/// Hands every logger of the process to ``VaultLogHandler``.
enum LogSetup {
    private static let hasStarted = Atomic(false)

    /// Call before anything logs; the first call counts.
    static func start(format: LogFormat, level: LogLevel) {
        guard !hasStarted.exchange(true, ordering: .relaxed) else { return }
        let json = format == .json || (format == .auto && !Terminal.errorIsTerminal)
        LoggingSystem.bootstrap { label in VaultLogHandler(label: label, level: level.level, json: json) }
    }
}
