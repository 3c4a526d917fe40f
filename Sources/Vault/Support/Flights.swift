import Synchronization

/// At most one task for each key at a time, shared by everybody who asks meanwhile.
///
/// The task is detached: it runs to its end whatever becomes of those who wait for it. An entry leaves the
/// table with its task, however that ends, so a failure poisons nothing.
final class Flights<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let tasks = Mutex<[Key: Task<Value, any Error>]>([:])

    /// Joins the task under way for `key`, or begins `work`.
    func join(_ key: Key, _ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = tasks.withLock { tasks in
            if let task = tasks[key] { return task }
            let task = Task.detached {
                // The lock is held until the task is in the table, so it cannot leave before it came.
                defer { self.tasks.withLock { $0[key] = nil } }
                return try await work()
            }
            tasks[key] = task
            return task
        }
        return try await task.value
    }

    /// Waits for the task under way for `key`, if there is one, whatever its end.
    func settle(_ key: Key) async {
        let task = tasks.withLock { $0[key] }
        _ = await task?.result
    }

    /// Waits until nothing is under way.
    func drain() async {
        while let task = tasks.withLock({ $0.values.first }) { _ = await task.result }
    }

    var count: Int { tasks.withLock { $0.count } }
}
