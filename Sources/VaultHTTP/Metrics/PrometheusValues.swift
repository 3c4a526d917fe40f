import Metrics
import Synchronization

/// What a series holds.
protocol PrometheusValue: AnyObject, Sendable {
    func write(to text: inout PrometheusText, name: String, labels: String)
}

final class PrometheusCounter: CounterHandler, PrometheusValue {
    private let count = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        // A counter never falls; wrapping at 2⁶³ reads as a reset.
        guard amount > 0 else { return }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { count.store(0, ordering: .relaxed) }

    func write(to text: inout PrometheusText, name: String, labels: String) {
        text.sample(name, labels, String(count.load(ordering: .relaxed)))
    }
}

final class PrometheusFloatingPointCounter: FloatingPointCounterHandler, PrometheusValue {
    private let count = Mutex(0.0)

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        count.withLock { $0 += amount }
    }

    func reset() { count.withLock { $0 = 0 } }

    func write(to text: inout PrometheusText, name: String, labels: String) {
        text.sample(name, labels, PrometheusText.number(count.withLock { $0 }))
    }
}

/// A value that goes up and down; the last one recorded.
final class PrometheusGauge: MeterHandler, RecorderHandler, PrometheusValue {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { self.value.withLock { $0 = Double(value) } }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    func write(to text: inout PrometheusText, name: String, labels: String) {
        text.sample(name, labels, PrometheusText.number(value.withLock { $0 }))
    }
}

/// Counts values into fixed buckets, with their sum.
final class PrometheusHistogram: TimerHandler, RecorderHandler, PrometheusValue {
    /// Half a millisecond to half a minute: from a read of the store to a provider that hangs.
    static let seconds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]
    /// Powers of four to a gigabyte: for sizes and counts.
    static let sizes: [Double] = (0...15).map { Double(sign: .plus, exponent: 2 * $0, significand: 1) }

    private struct State {
        var counts: [Int64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        // One NaN would spoil the sum for good.
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    func write(to text: inout PrometheusText, name: String, labels: String) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let prefix = labels.isEmpty ? "" : labels + ","
        var total: Int64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
            text.sample("\(name)_bucket", "\(prefix)le=\"\(bound)\"", String(total))
        }
        text.sample("\(name)_sum", labels, PrometheusText.number(sum))
        text.sample("\(name)_count", labels, String(total))
    }
}
