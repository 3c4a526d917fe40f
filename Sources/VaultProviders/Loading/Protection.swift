import CVaultSandbox

/// What holds a plugin's child.
public enum Protection: String, Sendable, CaseIterable {
    case noNewPrivileges = "no-new-privileges"
    case notDumpable = "not-dumpable"
    case diesWithHost = "dies-with-host"
    case limits, landlock, seccomp, closed

    var bit: UInt32 {
        switch self {
        case .noNewPrivileges: UInt32(VAULT_PROTECTION_NO_NEW_PRIVILEGES)
        case .notDumpable: UInt32(VAULT_PROTECTION_NOT_DUMPABLE)
        case .diesWithHost: UInt32(VAULT_PROTECTION_DIES_WITH_HOST)
        case .limits: UInt32(VAULT_PROTECTION_LIMITS)
        case .landlock: UInt32(VAULT_PROTECTION_LANDLOCK)
        case .seccomp: UInt32(VAULT_PROTECTION_SECCOMP)
        case .closed: UInt32(VAULT_PROTECTION_CLOSED)
        }
    }

    /// What a plugin's code can do where this one is missing.
    var without: String {
        switch self {
        case .noNewPrivileges: "can gain rights from set-user-id programs"
        case .notDumpable: "can leave its memory in a core file, and be looked into by programs of the same user"
        case .diesWithHost: "can go on running after vault was killed"
        case .limits: "can use all memory and processor time"
        case .landlock:
            "can read, while it is loaded, every file that the user of vault can, the vault's key among them, and tell "
                + "what it read in its description"
        case .seccomp: "can use the network, start programs and undo what else holds it"
        case .closed: "can open files after it was loaded"
        }
    }

    static func names(_ bits: UInt32) -> [String] { allCases.filter { bits & $0.bit != 0 }.map(\.rawValue) }

    /// What is left open by those that are not among `names`.
    static func openings(besides names: [String]) -> [String] {
        allCases.filter { !names.contains($0.rawValue) }.map { "without \($0.rawValue) it \($0.without)" }
    }

    /// Those of a child's own report, made before any of the plugin's code ran, that nothing speaks against.
    ///
    /// - Parameter status: `/proc/PID/status` of the child, in which the kernel itself tells of two; nil where it may
    ///   not be read. Then the report stands: `ProtectProc=invisible` hides what is not dumpable from its own user.
    static func confirmed(_ told: UInt32, by status: [UInt8]?) -> UInt32 {
        guard let status else { return told }
        let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
        var bits = told
        if !lines.contains("NoNewPrivs:\t1") { bits &= ~noNewPrivileges.bit }
        if !lines.contains("Seccomp:\t2") { bits &= ~seccomp.bit }
        return bits
    }
}
