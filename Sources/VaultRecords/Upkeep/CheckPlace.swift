import VaultBase
import VaultStore

#if canImport(Glibc)
    import Glibc
#endif

/// Where a check is, in memory that a signal handler may read: for the last words of a process that a
/// damaged page kills.
public struct CheckPlace: @unchecked Sendable {
    // Sendable: written by the one thread that walks, read by it in its signal handler.
    fileprivate let memory: UnsafeMutableRawPointer

    /// How many bytes ``write(to:)`` writes: the table, the key's length as u16, and room for the longest key.
    public static let size = 3 + 511

    /// Memory that is never given back: the process is there for one check.
    public init() {
        memory = .allocate(byteCount: Self.size, alignment: 8)
        // Not yet in any table.
        memory.initializeMemory(as: UInt8.self, repeating: 0xFF, count: Self.size)
    }

    func note(_ table: Table, _ key: UnsafeRawBufferPointer) {
        let count = min(key.count, Self.size - 3)
        memory.storeBytes(of: UInt8(truncatingIfNeeded: Self.tables.firstIndex(of: table) ?? 0), as: UInt8.self)
        memory.storeBytes(of: UInt8(truncatingIfNeeded: count), toByteOffset: 1, as: UInt8.self)
        memory.storeBytes(of: UInt8(truncatingIfNeeded: count >> 8), toByteOffset: 2, as: UInt8.self)
        guard count > 0, let start = key.baseAddress else { return }
        (memory + 3).copyMemory(from: start, byteCount: count)
    }

    private static let tables = Table.allCases

    /// What was written, as a finding.
    ///
    /// - Parameter end: how the process ended, as in "signal 11".
    public static func problem(_ bytes: [UInt8], end: String) -> CheckReport.Problem {
        let lead = "a page is damaged"
        guard bytes.count == size, Int(bytes[0]) < tables.count else {
            return CheckReport.Problem(kind: .page, name: nil, message: "\(lead) (\(end))")
        }
        let table = tables[Int(bytes[0])]
        let count = min(Int(bytes[1]) | Int(bytes[2]) << 8, size - 3)
        guard count > 0 else {
            return CheckReport.Problem(
                kind: .page, name: nil, message: "\(table.rawValue): \(lead) near its beginning (\(end))")
        }
        let name = table == .records || table == .journal ? bytes[3..<3 + count].withUnsafeBytes { Key.names($0) } : nil
        return CheckReport.Problem(
            kind: .page, name: name, message: "\(table.rawValue): \(lead) near this value or behind it (\(end))")
    }
}

// What a signal handler may touch: set before the handler is, and never changed.
nonisolated(unsafe) private var lastWords: UnsafeMutableRawPointer?
nonisolated(unsafe) private var listener: Int32 = -1

extension CheckPlace {
    /// The signals with which LMDB ends whoever reads a damaged page.
    public static let signals = [SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL]

    /// From here on a crash of this process writes the place to `descriptor` and ends it by the same signal.
    public func announceCrash(to descriptor: Int32) {
        lastWords = memory
        listener = descriptor
        for number in Self.signals {
            var action = sigaction()
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
            action.__sigaction_handler.sa_handler = { number in
                if let lastWords { _ = Glibc.write(listener, lastWords, CheckPlace.size) }
                raise(number)
            }
            sigaction(number, &action, nil)
        }
    }
}
