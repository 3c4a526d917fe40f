#if canImport(Glibc)
    public import Glibc
#elseif canImport(Darwin)
    public import Darwin
#endif

/// Threads that are none of Swift's few: for work that blocks.
public enum OwnThread {
    /// Starts a thread that ends with `body`; the caller joins or detaches it.
    ///
    /// - Throws: `unavailable` when the system has no more of them.
    public static func start(_ body: @escaping @Sendable () -> Void) throws(VaultError) -> pthread_t {
        let work = Unmanaged.passRetained(Work(body))
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let status = pthread_create(
            &thread, nil,
            { argument in
                // The one reference made above, taken once.
                let argument: UnsafeMutableRawPointer? = argument
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        #if canImport(Glibc)
            if status == 0 { return thread }
        #else
            if status == 0, let thread { return thread }
        #endif
        work.release()
        throw VaultError(
            .unavailable, "cannot start a thread: \(String(cString: strerror(status)))",
            hint: "try again when there is less to do, or raise the limit: TasksMax in the unit, ulimit -u")
    }

    /// Has signals for the process delivered to other threads than the calling one.
    public static func leaveSignalsToOthers() {
        var signals = sigset_t()
        sigfillset(&signals)
        // These are about the thread that raised them.
        for own in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP] { sigdelset(&signals, own) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
