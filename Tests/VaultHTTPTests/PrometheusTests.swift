import HTTPTypes
import Metrics
import Testing

@testable import VaultHTTP

@Suite struct PrometheusTests {
    @Test func writesACounterWithItsLabelsInOrder() {
        let metrics = PrometheusMetrics(help: ["vault.logins": "Logins begun."], showsProcess: false)
        Counter(label: "vault.logins", dimensions: [("result", "ok"), ("platform", "spotify")], factory: metrics)
            .increment(by: 3)
        Counter(label: "vault.logins", dimensions: [("platform", "spotify"), ("result", "ok")], factory: metrics)
            .increment()
        #expect(
            metrics.render() == """
                # HELP vault_logins_total Logins begun.
                # TYPE vault_logins_total counter
                vault_logins_total{platform="spotify",result="ok"} 4

                """)
    }

    @Test func aTimerIsAHistogramInSecondsWhoseBucketsAddUp() {
        let metrics = PrometheusMetrics(showsProcess: false)
        let timer = Timer(label: "vault_read_duration", dimensions: [], factory: metrics)
        for nanoseconds in [400_000, 500_000, 3_000_000, 60_000_000_000] { timer.recordNanoseconds(nanoseconds) }
        let lines = metrics.render().split(separator: "\n").map(String.init)
        #expect(lines.contains("# TYPE vault_read_duration_seconds histogram"))
        // A bound belongs to its own bucket: le means less or equal.
        #expect(lines.contains("vault_read_duration_seconds_bucket{le=\"0.0005\"} 2"))
        #expect(lines.contains("vault_read_duration_seconds_bucket{le=\"0.005\"} 3"))
        #expect(lines.contains("vault_read_duration_seconds_bucket{le=\"30\"} 3"))
        #expect(lines.contains("vault_read_duration_seconds_bucket{le=\"+Inf\"} 4"))
        #expect(lines.contains("vault_read_duration_seconds_sum 60.0039"))
        #expect(lines.last == "vault_read_duration_seconds_count 4")
    }

    @Test func gaugesGoUpAndDown() {
        let metrics = PrometheusMetrics(showsProcess: false)
        let meter = Meter(label: "active", factory: metrics)
        meter.increment()
        meter.increment()
        meter.decrement()
        Gauge(label: "queue", dimensions: [], factory: metrics).record(2.5)
        #expect(metrics.render().contains("\nactive 1\n"))
        #expect(metrics.render().contains("\nqueue 2.5\n"))
    }

    @Test func aRecorderThatAggregatesIsAHistogram() {
        let metrics = PrometheusMetrics(showsProcess: false)
        Recorder(label: "bytes", dimensions: [], aggregate: true, factory: metrics).record(5)
        #expect(metrics.render().contains("bytes_bucket{le=\"4\"} 0\nbytes_bucket{le=\"16\"} 1\n"))
    }

    @Test(arguments: [
        ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"), ("a\nb", "a\\nb"), ("é", "é"), ("", ""),
    ])
    func escapesALabelsValue(_ value: String, _ escaped: String) {
        #expect(PrometheusText.labels([("x", value)]) == "x=\"\(escaped)\"")
    }

    @Test(arguments: [("http.server", "http_server"), ("9lives", "_9lives"), ("a:b", "a:b"), ("", "_"), ("é", "_")])
    func aNameIsOneOfTheDataModel(_ label: String, _ name: String) {
        #expect(PrometheusText.name(label) == name)
    }

    @Test(arguments: [
        (Double.infinity, "+Inf"), (-Double.infinity, "-Inf"), (Double.nan, "NaN"), (1.5, "1.5"), (12, "12"),
        (1e300, "1e+300"), (0.00001, "1e-05"),
    ])
    func writesNumbersAsTheFormatReadsThem(_ value: Double, _ text: String) {
        #expect(PrometheusText.number(value) == text)
    }

    @Test func labelsFromOutsideCannotMakeItGrow() {
        let metrics = PrometheusMetrics(help: [:], showsProcess: false, seriesLimit: 10)
        for index in 0..<1000 {
            Counter(label: "visits", dimensions: [("path", "/\(index)")], factory: metrics).increment()
        }
        let lines = metrics.render().split(separator: "\n").filter { $0.hasPrefix("visits_total{") }
        #expect(lines.count == 11)
        #expect(lines.contains("visits_total{path=\"other\"} 990"))
    }

    @Test func oneNameWithTwoTypesStaysTwoFamilies() {
        let metrics = PrometheusMetrics(showsProcess: false)
        Meter(label: "thing", factory: metrics).set(1)
        Recorder(label: "thing", dimensions: [], aggregate: true, factory: metrics).record(1)
        let types = metrics.render().split(separator: "\n").filter { $0.hasPrefix("# TYPE") }
        #expect(types == ["# TYPE thing gauge", "# TYPE thing_histogram histogram"])
    }

    @Test func countsFromManyTasksAddUp() async {
        let metrics = PrometheusMetrics(showsProcess: false)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        Counter(label: "hits", dimensions: [], factory: metrics).increment()
                        Timer(label: "time", dimensions: [], factory: metrics).recordNanoseconds(1)
                    }
                }
            }
        }
        #expect(metrics.render().contains("\nhits_total 8000\n"))
        #expect(metrics.render().contains("\ntime_seconds_count 8000\n"))
    }

    @Test func everyMetricOfTheVaultSaysWhatItMeansAndNamesNobody() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let session = try await browser.session()
            for (method, path) in [(HTTPRequest.Method.get, "/auth/acme/token"), (.post, "/auth/acme/refresh")] {
                _ = try await browser.send(method, path, session: session)
            }
            let user = try #require(
                try await browser.send(.get, "/auth/session", session: session).json["user"]?.string)
            _ = try await browser.send(.delete, "/auth/acme", session: session)
            _ = try await browser.send(.init("BREW")!, "/made/up")
            let text = house.metrics.render()
            #expect(text.contains(#"vault_http_requests_total{method="other",route="NotFound",status="404"} 1"#))
            #expect(text.contains("vault_refreshes_total{"))
            #expect(text.contains("vault_provider_seconds_bucket{"))
            #expect(!text.contains("Recorded by the program as"), "\(text)")
            #expect(!text.contains(user))
            #expect(!text.contains("/made/up"))
            #expect(!text.contains("BREW"))
        }
    }

    @Test func showsTheProcessByTheUsualNames() throws {
        let lines = PrometheusMetrics().render().split(separator: "\n")
        func value(_ name: String) throws -> Double {
            let line = try #require(lines.first { $0.hasPrefix("\(name) ") }, "\(name)")
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_resident_memory_bytes") > 1_048_576)
        #expect(try value("process_cpu_seconds_total") > 0)
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_max_fds") >= value("process_open_fds"))
        // After this test was written, and before a century from then.
        #expect((1_780_000_000...4_900_000_000).contains(try value("process_start_time_seconds")))
    }

    @Test(.enabled(if: Shell.can("promtool --version"), "promtool (Debian: prometheus) is not installed"))
    func promtoolFindsNothingWrong() async throws {
        let metrics = PrometheusMetrics(help: ["odd": "A \\ and\na line."])
        Counter(label: "odd", dimensions: [("label", "a\"b\\c\nd")], factory: metrics).increment()
        Timer(label: "vault_http_request_duration", dimensions: [("route", "/x")], factory: metrics)
            .recordNanoseconds(5)
        Meter(label: "vault_http_active_requests", factory: metrics).increment()
        FloatingPointCounter(label: "vault_joules", dimensions: [], factory: metrics).increment(by: 0.5)
        let checked = try await Shell.run("promtool check metrics", input: metrics.render())
        #expect(checked.status == 0, "\(checked.output)")
    }
}
