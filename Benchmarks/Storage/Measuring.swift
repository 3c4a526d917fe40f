import Glibc

/// Clocks, and the lines that `bench.py` reads: a name and a number.
enum Measure {
    /// Seconds, monotonic.
    static func now() -> Double { seconds(CLOCK_MONOTONIC) }
    /// Seconds of this process on a processor.
    static func processorTime() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func report(_ name: String, _ value: Double) { print(name, value) }

    /// - Parameter sorted: in rising order.
    static func percentile(_ sorted: [Double], _ percent: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[Int(Double(sorted.count - 1) * percent / 100)]
    }
}

/// xorshift64*, as in `Baseline/measure.c`: the same row of numbers in both columns.
struct SmallRandom {
    private var state: UInt64

    init(_ seed: Int = 0) { state = 88_172_645_463_325_252 + UInt64(seed) }

    mutating func next(below limit: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int(UInt32(truncatingIfNeeded: (state &* 0x2545_F491_4F6C_DD1D) >> 32)) % limit
    }
}
