import VaultBase

extension Timestamp {
    /// Whether it is still waited for. What is further off than the longest wait there is comes from a clock that was
    /// wrong, and is not.
    func isAwaited(at now: Timestamp, longest: Duration) -> Bool { now < self && self <= now + longest }
}

/// Notices when the wall clock jumps, by comparing it with one that cannot.
///
/// Whoever removes things by the time must not believe a clock that was just set: a wrong year would end
/// every grant. After a jump in either direction the time is trusted again once it has run evenly for a while;
/// so it is at a start long after the vault's last write, which may be a clock that nobody has set yet.
struct ClockWatch: Sendable {
    /// A difference up to this is slewing, not a jump.
    static let tolerance = Duration.seconds(60)
    /// How long the clock must run evenly after a jump.
    static let probation = Duration.seconds(600)
    /// How long after the last write a start is nothing to wonder at.
    static let absence = Duration.seconds(86_400)

    private var last: (wall: Timestamp, steady: Duration)?
    private var evenSince: Duration?
    /// The vault's last write before this process.
    private let lastWrite: Timestamp?

    init(lastWrite: Timestamp? = nil) { self.lastWrite = lastWrite }

    /// - Parameter steady: of a clock that nobody sets.
    mutating func trusts(_ wall: Timestamp, at steady: Duration) -> Bool {
        defer { last = (wall, steady) }
        guard let last else {
            guard let lastWrite, wall - lastWrite > Self.absence || lastWrite - wall > Self.tolerance else {
                return true
            }
            evenSince = steady
            return false
        }
        let drift = (wall - last.wall) - (steady - last.steady)
        if drift > Self.tolerance || drift < .zero - Self.tolerance {
            evenSince = steady
            return false
        }
        guard let since = evenSince else { return true }
        guard steady - since >= Self.probation else { return false }
        evenSince = nil
        return true
    }
}
