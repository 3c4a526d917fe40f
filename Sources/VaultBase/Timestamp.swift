#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(milliseconds: Int64) { self.rawValue = milliseconds }
    /// Saturates instead of overflowing.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        rawValue = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds since 1970, rounded down; what JWTs count in.
    public var seconds: Int64 { rawValue / 1000 - (rawValue % 1000 < 0 ? 1 : 0) }

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Saturates instead of overflowing.
    public static func + (time: Self, duration: Duration) -> Self {
        let (sum, overflow) = time.rawValue.addingReportingOverflow(duration.milliseconds)
        return Self(rawValue: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    public static func - (time: Self, duration: Duration) -> Self { time + (.zero - duration) }

    public static func - (a: Self, b: Self) -> Duration {
        let (difference, overflow) = a.rawValue.subtractingReportingOverflow(b.rawValue)
        return .milliseconds(overflow ? (a < b ? .min : .max) : difference)
    }
}

extension Duration {
    /// Whole milliseconds, saturating.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }
}

/// What the vault reads the time from; tests hand in one they move by hand.
public protocol WallClock: Sendable {
    func now() -> Timestamp
    /// How long ago some moment was that stays the same while the process lives: nobody can set it.
    func steady() -> Duration
}

private let processStart = ContinuousClock.now

extension WallClock {
    public func steady() -> Duration { ContinuousClock.now - processStart }
}

/// `CLOCK_REALTIME`.
public struct SystemClock: WallClock {
    public init() {}

    public func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(rawValue: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
