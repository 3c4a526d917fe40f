import VaultBase

/// Every exit status of the program; scripts may count on them.
enum ExitStatus: Int32, CaseIterable {
    case done = 0
    case failed = 1
    case notFound = 2
    case conflict = 3
    case unavailable = 4
    case damaged = 5
    case provider = 6
    case full = 7
    case usage = 64
    case settings = 78

    /// What it says, for the end of each help.
    var words: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .notFound: "no such user, connection, platform, file or vault"
        case .conflict: "exists already, or somebody else changed it"
        case .unavailable: "the vault belongs to another process, or its server does not answer"
        case .damaged: "the key does not open it, or it is damaged"
        case .provider: "the provider refused, failed or is not usable; the message says which"
        case .full: "no room on the disk or in the quota"
        case .usage: "wrong arguments or input"
        case .settings: "wrong settings"
        }
    }

    init(_ code: VaultError.Code) {
        self =
            switch code {
            case .badRequest: .usage
            case .notFound, .noPlatform, .noConnection, .noStore: .notFound
            case .conflict, .accountInUse: .conflict
            case .locked, .unavailable: .unavailable
            case .damaged, .wrongKey, .newerFormat: .damaged
            case .platformUnavailable, .reconnect, .restartLogin, .retry, .operatorAction, .uncertain: .provider
            case .full: .full
            case .settings: .settings
            default: .failed
            }
    }

    /// The end of each help.
    static var help: String {
        "EXIT STATUS:\n"
            + allCases.map { "  \($0.rawValue)\($0.rawValue < 10 ? " " : "")  \($0.words)" }.joined(separator: "\n")
    }
}
