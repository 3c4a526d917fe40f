import VaultBase

// How long to wait between attempts, for whoever tries again.

extension Duration {
    /// `base`, doubled so many times, and never more than `ceiling`.
    static func doubling(_ base: Duration, times: Int, ceiling: Duration) -> Duration {
        min(ceiling, base * (1 << min(times, 20)))
    }

    /// Between half of it and all of it, by chance, so that many who wait do not come back together.
    var upperHalf: Duration { .milliseconds(Int64.random(in: milliseconds / 2...milliseconds)) }
}
