import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// What every Prometheus dashboard looks for first: memory, processor time, descriptors and age of the
/// process, by the names its own client libraries give them. Read from `/proc`; nothing where there is none.
enum ProcessMetrics {
    static func write(to text: inout PrometheusText) {
        #if os(Linux)
            guard let status = Status() else { return }
            sample(&text, "process_resident_memory_bytes", .gauge, "Memory in use, in bytes.", status.residentBytes)
            sample(
                &text, "process_cpu_seconds_total", .counter, "Processor time used, in seconds.", status.cpuSeconds)
            sample(&text, "process_open_fds", .gauge, "Open file descriptors.", status.descriptors)
            sample(&text, "process_max_fds", .gauge, "The most file descriptors there may be.", status.descriptorLimit)
            sample(
                &text, "process_start_time_seconds", .gauge, "When the process began, in seconds since 1970.",
                status.startedAt)
        #endif
    }

    #if os(Linux)
        private static func sample(
            _ text: inout PrometheusText, _ name: String, _ kind: PrometheusMetrics.Kind, _ help: String,
            _ value: Double?
        ) {
            guard let value else { return }
            text.head(name, kind, help: help)
            text.sample(name, "", PrometheusText.number(value))
        }

        /// proc(5), `/proc/self/stat`: the fields behind the command's name, which may hold anything.
        private struct Status {
            var residentBytes: Double
            var cpuSeconds: Double
            var startedAt: Double?
            var descriptors: Double?
            var descriptorLimit: Double?

            init?() {
                guard let stat = Self.read("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
                let fields = stat[end...].split(separator: " ").dropFirst().map(String.init)
                let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
                guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
                    let start = Double(fields[19]), let pages = Double(fields[21])
                else { return nil }
                residentBytes = pages * Double(sysconf(Int32(_SC_PAGESIZE)))
                cpuSeconds = (user + system) / ticks
                let boot = Self.read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
                startedAt = boot.flatMap { Double($0.dropFirst(6)) }.map { $0 + start / ticks }
                descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map {
                    // One of them is the look itself.
                    Double($0.count - 1)
                }
                var limit = rlimit()
                if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
                    descriptorLimit = Double(limit.rlim_cur)
                }
            }

            private static func read(_ path: String) -> String? {
                // Files there say their size is 0, so they are read to the end by hand.
                let file = open(path, O_RDONLY | O_CLOEXEC)
                guard file >= 0 else { return nil }
                defer { close(file) }
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = Glibc.read(file, &buffer, buffer.count)
                    guard count > 0 else { break }
                    bytes += buffer[..<count]
                }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    #endif
}
