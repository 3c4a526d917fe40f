import VaultBase

/// Notices when the wall clock jumps, by comparing it with one that cannot.
///
/// Whoever removes things by the time must not believe a clock that was just set: a wrong year would end
/// every grant. After a jump in either direction the time is trusted again once it has run evenly for a while.
struct ClockWatch: Sendable {
    /// A difference up to this is slewing, not a jump.
    static let tolerance = Duration.seconds(60)
    /// How long the clock must run evenly after a jump.
    static let probation = Duration.seconds(600)

    private var last: (wall: Timestamp, steady: ContinuousClock.Instant)?
    private var evenSince: ContinuousClock.Instant?

    mutating func trusts(_ wall: Timestamp, at steady: ContinuousClock.Instant) -> Bool {
        defer { last = (wall, steady) }
        guard let last else { return true }
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
