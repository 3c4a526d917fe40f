import VaultBase

/// Hooks in a child.
final class ProcessHooks: ProviderHooks {
    private let process: PluginProcess

    init(process: PluginProcess) { self.process = process }

    func prepare(_ stage: FlowEngine.Stage, _ request: ProviderRequest, _ context: HookContext)
        async throws(VaultError) -> ProviderRequest
    {
        try await process.call(HookInput(stage, request, context)).request
    }

    func parse(_ stage: FlowEngine.Stage, _ answer: ProviderAnswer, _ context: HookContext)
        async throws(VaultError) -> ProviderAnswer
    {
        try await process.call(HookInput(stage, answer, context)).answer(like: answer)
    }
}
