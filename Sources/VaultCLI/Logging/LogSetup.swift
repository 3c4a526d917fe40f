import Logging

/// Hands every logger of the process to ``VaultLogHandler``.
enum LogSetup {
    /// Call once, before anything logs.
    static func start(format: LogFormat, level: LogLevel) {
        let json = format == .json || (format == .auto && !Terminal.errorIsTerminal)
        LoggingSystem.bootstrap { label in VaultLogHandler(label: label, level: level.level, json: json) }
    }
}
