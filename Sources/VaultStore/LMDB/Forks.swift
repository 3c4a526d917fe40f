import Glibc
import Synchronization

/// Counts the forks that lead to this process.
///
/// LMDB works on in a child process as if nothing had happened, and spoils the file for both. The C
/// library calls us in the child, so a look at a counter tells a parent's store from one's own.
enum Forks {
    private static let counter = Atomic(0)

    private static let watch: Int32 = pthread_atfork(nil, nil) { Forks.counter.add(1, ordering: .relaxed) }

    /// Starts counting, if not yet, and says how many there were.
    static func begin() -> Int {
        _ = watch
        return count
    }

    static var count: Int { counter.load(ordering: .relaxed) }
}
