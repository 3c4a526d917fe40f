import Synchronization
import VaultBase

/// Hooks in this process, called one at a time on a thread of their own, as vault_plugin.h promises.
///
/// A thread that hangs in somebody else's code cannot be stopped without stopping vault. So a call that is late is given
/// up, and so is every later one for as long as the thread hangs; it costs this plugin and one core, and nothing that
/// waits. Only `isolation = "process"` can end it.
final class ImageHooks: ProviderHooks {
    private let image: PluginImage
    private let patience: Duration
    private let worker = Worker()
    /// Calls that were given up and have not come back.
    private let hanging = Mutex(0)

    init(_ image: PluginImage, patience: Duration) {
        self.image = image
        self.patience = patience
    }

    func prepare(_ stage: FlowEngine.Stage, _ request: ProviderRequest, _ context: HookContext)
        async throws(VaultError) -> ProviderRequest
    {
        guard image.prepare != nil else { return request }
        return try await call(HookInput(stage, request, context)).request
    }

    func parse(_ stage: FlowEngine.Stage, _ answer: ProviderAnswer, _ context: HookContext)
        async throws(VaultError) -> ProviderAnswer
    {
        guard image.parse != nil else { return answer }
        return try await call(HookInput(stage, answer, context)).answer(like: answer)
    }

    private func call(_ input: HookInput) async throws(VaultError) -> HookOutput {
        guard hanging.withLock({ $0 }) == 0 else { throw Self.hangs }
        let (image, patience) = (image, patience)
        let outcome = await withCheckedContinuation { (caller: CheckedContinuation<HookOutput??, Never>) in
            let race = Race(caller)
            let timer = Task {
                try? await Task.sleep(for: patience)
                guard !Task.isCancelled, race.end(.none) else { return }
                self.hanging.withLock { $0 += 1 }
            }
            worker.start {
                let output = image.call(input)
                timer.cancel()
                if !race.end(.some(output)) { self.hanging.withLock { $0 -= 1 } }
            }
        }
        guard let outcome else { throw Self.hangs }
        guard let outcome else {
            throw VaultError(
                .plugin, "the plugin refused at \(input.stage.rawValue)", hint: "tell its author what was tried")
        }
        return outcome
    }

    private static let hangs = VaultError(
        .retry, "the plugin hangs in a call",
        hint: "its platform alone is affected until vault is restarted; isolation = \"process\" would have ended it")

    /// Resumes once, for whoever comes first.
    private final class Race: Sendable {
        private let caller: Mutex<CheckedContinuation<HookOutput??, Never>?>

        init(_ caller: CheckedContinuation<HookOutput??, Never>) { self.caller = Mutex(caller) }

        /// Whether this was the first.
        func end(_ outcome: HookOutput??) -> Bool {
            let caller = caller.withLock { $0.take() }
            caller?.resume(returning: outcome)
            return caller != nil
        }
    }
}
