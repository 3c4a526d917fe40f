#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A few places among which threads are spread, for what all of them take all the time: a thread comes back to its own,
/// so two that work at once share no lock and no reference count.
package enum ThreadPlace {
    package static let count = 8

    /// Where the calling thread belongs: 0 ..< ``count``.
    @inlinable package static var index: Int {
        #if canImport(Glibc)
            let descriptor = pthread_self()
        #else
            let descriptor = UInt(bitPattern: pthread_self())
        #endif
        // It stands at the end of the thread's stack, so the lower bits are the same for all.
        return Int((descriptor >> 12) % UInt(count))
    }
}

/// Keeps what comes next in memory out of this one's cache line.
package struct CacheLine: Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)

    package init() {}
}
