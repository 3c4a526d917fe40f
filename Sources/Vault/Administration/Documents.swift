public import VaultBase
public import VaultProviders
public import VaultRecords

// What commands say, as JSON. Fields are added, never changed; moments are RFC 3339 in UTC.

/// What `vault status` shows.
public struct StatusDocument: Codable, Sendable, Equatable {
    /// The vault's own id, in hex.
    public var vault: String
    public var createdAt: String
    /// Grows with every value written or removed.
    public var sequence: UInt64
    /// How many seconds its clock is ahead of the wall clock; nil where that is no more than a minute.
    public var clockAhead: Int?
    /// How often it was restored from a backup.
    public var restores: Int
    public var connections: Int
    public var sessions: Int
    public var logins: Int
    /// Redemptions begun and not finished.
    public var unfinishedRefreshes: Int
    /// Connections whose grant ends within `refresh.warn-before`; nil, like the next, from a server that does not tell.
    public var expiring: Int?
    /// Events that somebody still has to be told.
    public var pendingEvents: Int?
    /// Service keys that were not revoked.
    public var serviceKeys: Int?
    /// Revocations that providers have not taken yet.
    public var pendingRevocations: Int?
    public var usedBytes: Int
    public var quotaBytes: Int
    public var fileBytes: Int
    public var commits: Int
    public var operations: Int
    /// Whether all keys could be kept out of swap.
    public var keysAreLocked: Bool
    public var platforms: [PlatformDocument]
    /// The data keys; nil from a server that does not tell.
    public var terms: [TermDocument]?
    /// The last backup that was written and verified; nil before the first.
    public var lastBackup: BackupMarkDocument?
    /// The last time a backup was restored to try it.
    public var lastDrill: BackupMarkDocument?
    /// When the server started; nil without one.
    public var serverSince: String?
    /// The server's process; nil without one.
    public var serverProcess: Int?
}

/// One configured platform.
public struct PlatformDocument: Codable, Sendable, Equatable {
    public var platform: String
    public var displayName: String
    public var available: Bool
    public var reason: String?
    public var hint: String?
}

/// What became of one plugin file.
public struct PluginDocument: Codable, Sendable, Equatable {
    public var file: String
    public var provider: String?
    public var displayName: String?
    public var isolation: String
    public var protections: [String]
    /// What it could do since a protection is missing on this system.
    public var openings: [String]
    /// The platforms that use it.
    public var platforms: [String]
    public var fault: String?
    public var hint: String?

    public init(_ report: PluginReport, platforms: [PlatformName]) {
        file = report.path
        provider = report.provider?.description.id
        displayName = report.provider?.description.displayName
        isolation = report.isolation.rawValue
        protections = report.protections
        openings = report.openings
        self.platforms = platforms.map(\.rawValue)
        fault = report.fault?.message
        hint = report.fault?.hint
    }
}

/// What a reload changed.
public struct ReloadDocument: Codable, Sendable, Equatable {
    /// Plugin files, by name.
    public var plugins = Names()
    public var platforms = Names()
    /// Settings that changed and take effect at the next start.
    public var needRestart: [String] = []

    public struct Names: Codable, Sendable, Equatable {
        public var added: [String] = []
        public var changed: [String] = []
        public var removed: [String] = []
        public init() {}
        public var isEmpty: Bool { added.isEmpty && changed.isEmpty && removed.isEmpty }
    }

    public init() {}
}

/// What became of a disconnect.
public struct DisconnectionDocument: Codable, Sendable, Equatable {
    public var deleted: Bool
    /// `yes`, `no`, `unsupported` or `pending`.
    public var revoked: String
}

/// What `vault delete` removed.
public struct DeletionDocument: Codable, Sendable, Equatable {
    public var connections: Int
    public var sessions: Int
}

/// What a sweep removed, or would remove.
public struct SweepDocument: Codable, Sendable, Equatable {
    public var dryRun: Bool
    public var connections: [Name]
    public var sessions: Int
    public var logins: Int

    public struct Name: Codable, Sendable, Equatable {
        public var user: String
        public var platform: String
    }
}

/// What `vault check` found.
public struct CheckDocument: Codable, Sendable, Equatable {
    public var sound: Bool
    public var connections: Int
    public var sequence: UInt64
    public var problems: [Problem]
    /// `SEQUENCE:HASH`, to compare with later; nil when the check did not come to its end.
    public var anchor: String?
    /// How many seconds the vault's clock is ahead of the wall clock; nil where that is no more than a minute.
    public var clockAhead: Int?

    public struct Problem: Codable, Sendable, Equatable {
        /// `damaged`, `contents`, `index`, `page` or `anchor`.
        public var kind: String
        public var user: String?
        public var platform: String?
        public var message: String
        /// What to do about it.
        public var hint: String?

        public init(_ problem: CheckReport.Problem) {
            kind = problem.kind.rawValue
            user = problem.name?.user.rawValue
            platform = problem.name?.platform.rawValue
            message = problem.message
            hint = Self.hint(problem)
        }

        /// The vault is not one that can have come from an anchor.
        public init(anchor fault: String) {
            kind = "anchor"
            message = fault
            hint = "find out who replaced the store; restore the newest backup: vault restore FILE --into DIR"
        }

        private static func hint(_ problem: CheckReport.Problem) -> String {
            switch problem.kind {
            case .damaged:
                guard let name = problem.name else {
                    return "restore the last backup into a new directory: vault restore FILE --into DIR"
                }
                return "let the user connect again, or set it from a backup: vault put \(name.user) \(name.platform)"
            case .contents:
                return
                    "restore the last backup beside it and compare: vault restore FILE --into DIR; to go on with what "
                    + "there is: vault check --recount"
            case .index: return "a backup and a restore make all indexes anew: vault restore FILE --into DIR"
            case .page: return "keep the directory as it is and restore the last backup: vault restore FILE --into DIR"
            }
        }
    }

    public init(_ report: CheckReport) {
        sound = report.isSound
        connections = report.status.connections
        sequence = report.status.sequence
        problems = report.problems.map { Problem($0) }
        anchor = report.status.anchor
        clockAhead = report.status.clockAhead
    }

    /// A check that ended before it was done.
    public init(unfinished problems: [Problem]) {
        sound = false
        connections = 0
        sequence = 0
        self.problems = problems
    }
}

/// What `vault check --recount` did.
public struct RecountDocument: Codable, Sendable, Equatable {
    /// How many values there are, all of which open.
    public var values: Int
    /// Whether what was counted before said something else.
    public var changed: Bool
}

/// What `vault check --accept-clock` did.
public struct ClockDocument: Codable, Sendable, Equatable {
    /// How many seconds the vault's clock was set back.
    public var ahead: Int
}

extension VaultStatus {
    /// How many seconds the vault's clock is ahead, where that is worth a word.
    var clockAhead: Int? { clockLead > ClockWatch.tolerance ? Int(clockLead.milliseconds / 1000) : nil }
}
