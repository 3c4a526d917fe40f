import Synchronization

// Counts without a lock, which must be reported whatever is suppressed; with LOCKED with one, which is right.
final class Counter: @unchecked Sendable {
    private let guarded = Mutex(0)
    private var bare = 0

    func count() {
        #if LOCKED
            guarded.withLock { guarded in for _ in 0..<100 { guarded += 1 } }
        #else
            bare += 1
        #endif
    }
}

@main struct Program {
    static func main() async {
        let counter = Counter()
        await withTaskGroup { group in
            for _ in 0..<4 { group.addTask { for _ in 0..<500_000 { counter.count() } } }
        }
    }
}
