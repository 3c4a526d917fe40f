/// What the conformance kit found in one plugin: one finding for each promise of `vault_plugin.h`.
public struct ConformanceReport: Sendable, Equatable {
    /// One promise, and whether it is kept.
    public struct Finding: Sendable, Equatable {
        public enum Verdict: String, Sendable {
            case kept
            /// The plugin must be mended.
            case broken
            /// Allowed, and seldom meant.
            case doubtful
            /// The plugin has no such part, or another fault stood before it.
            case unchecked
        }
        /// A short name that stays the same: `failures.outage`.
        public var promise: String
        public var verdict: Verdict
        /// What is promised; for another verdict than `kept`, what was seen.
        public var message: String
        /// What to do about it; nil when there is nothing to do.
        public var hint: String?
    }

    public var file: String
    /// nil when it did not load.
    public var provider: String?
    public var displayName: String?
    /// What held the plugin while it was checked, as in ``PluginReport``.
    public var protections: [String] = []
    public internal(set) var findings: [Finding] = []

    /// Whether no promise is broken.
    public var isSound: Bool { count(.broken) == 0 }

    public func count(_ verdict: Finding.Verdict) -> Int { findings.count { $0.verdict == verdict } }

    init(file: String) { self.file = file }

    mutating func keep(_ promise: String, _ message: String) {
        findings.append(.init(promise: promise, verdict: .kept, message: message, hint: nil))
    }

    mutating func skip(_ promise: String, _ message: String) {
        findings.append(.init(promise: promise, verdict: .unchecked, message: message, hint: nil))
    }

    mutating func doubt(_ promise: String, _ message: String, hint: String) {
        findings.append(.init(promise: promise, verdict: .doubtful, message: message, hint: hint))
    }

    mutating func fail(_ promise: String, _ message: String, hint: String) {
        findings.append(.init(promise: promise, verdict: .broken, message: message, hint: hint))
    }

    /// Kept when there is no fault.
    mutating func judge(_ promise: String, _ message: String, fault: String?, hint: String) {
        if let fault { fail(promise, fault, hint: hint) } else { keep(promise, message) }
    }
}
