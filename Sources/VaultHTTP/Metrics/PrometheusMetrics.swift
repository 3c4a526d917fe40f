public import Metrics
import Synchronization

/// What swift-metrics records, kept in memory and written as Prometheus text (exposition format 0.0.4).
///
/// Hand it to `MetricsSystem.bootstrap` once, before anything makes a metric, and its ``render()`` to the
/// ``AdminListener``. Counters end in `_total`, timers in `_seconds` and are histograms, meters and
/// recorders that do not aggregate are gauges. Counting never blocks for longer than another count.
///
/// A label may take 1000 sets of values for each name; what comes later is counted together under `other`,
/// so that nobody from outside can make the program grow.
public final class PrometheusMetrics: MetricsFactory {
    /// How many sets of label values one name may have.
    public static let seriesLimit = 1000

    private let families = Mutex<[String: Family]>([:])
    private let help: [String: String]
    private let showsProcess: Bool
    private let seriesLimit: Int

    /// - Parameters:
    ///   - help: a sentence for each name as it is recorded; a name without one gets a general one.
    ///   - showsProcess: whether the process's own memory, time and descriptors are shown too.
    public convenience init(help: [String: String] = PrometheusMetrics.helpOfTheVault, showsProcess: Bool = true) {
        self.init(help: help, showsProcess: showsProcess, seriesLimit: Self.seriesLimit)
    }

    init(help: [String: String], showsProcess: Bool, seriesLimit: Int) {
        self.help = help
        self.showsProcess = showsProcess
        self.seriesLimit = seriesLimit
    }

    /// The whole text, in order of name and labels.
    public func render() -> String {
        var text = PrometheusText()
        for family in families.withLock({ $0.values.sorted { $0.name < $1.name } }) {
            text.head(family.name, family.kind, help: family.help)
            for series in family.series.values.sorted(by: { $0.labels < $1.labels }) {
                series.value.write(to: &text, name: family.name, labels: series.labels)
            }
        }
        if showsProcess { ProcessMetrics.write(to: &text) }
        return text.string
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, suffix: "_total", .counter, dimensions) { PrometheusCounter() }
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, suffix: "_total", .counter, dimensions) { PrometheusFloatingPointCounter() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, suffix: "", .gauge, dimensions) { PrometheusGauge() }
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, suffix: "", .gauge, dimensions) { PrometheusGauge() } }
        return series(label, suffix: "", .histogram, dimensions) {
            PrometheusHistogram(bounds: PrometheusHistogram.sizes)
        }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, suffix: "_seconds", .histogram, dimensions) {
            PrometheusHistogram(bounds: PrometheusHistogram.seconds)
        }
    }

    // A metric that is let go keeps its series: a counter that came back at 0 would be a reset to a scraper.
    public func destroyCounter(_: any CounterHandler) {}
    public func destroyFloatingPointCounter(_: any FloatingPointCounterHandler) {}
    public func destroyMeter(_: any MeterHandler) {}
    public func destroyRecorder(_: any RecorderHandler) {}
    public func destroyTimer(_: any TimerHandler) {}

    // MARK: Series

    enum Kind: String { case counter, gauge, histogram }

    private struct Family: Sendable {
        var name: String
        var kind: Kind
        var help: String
        var series: [String: Series] = [:]
    }

    private struct Series: Sendable {
        var labels: String
        var value: any PrometheusValue
    }

    /// The series of that name and those labels, made when there is none yet.
    private func series<Value: PrometheusValue>(
        _ label: String, suffix: String, _ kind: Kind, _ dimensions: [(String, String)], _ make: () -> Value
    ) -> Value {
        var name = PrometheusText.name(label)
        if !suffix.isEmpty, !name.hasSuffix(suffix) { name += suffix }
        return families.withLock { families in
            // One name has one type: a second use of it as another is kept apart by its type.
            if let there = families[name], there.kind != kind { name += "_\(kind.rawValue)" }
            var family =
                families[name]
                ?? Family(name: name, kind: kind, help: help[label] ?? "Recorded by the program as \(label).")
            var labels = PrometheusText.labels(dimensions)
            if family.series[labels] == nil, family.series.count >= seriesLimit {
                labels = PrometheusText.labels(dimensions.map { ($0.0, "other") })
            }
            if let there = family.series[labels]?.value as? Value { return there }
            let value = make()
            family.series[labels] = Series(labels: labels, value: value)
            families[name] = family
            return value
        }
    }
}
