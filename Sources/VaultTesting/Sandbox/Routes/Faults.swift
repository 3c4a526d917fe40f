import HTTPTypes
import Hummingbird

extension Plan {
    /// Answers by the plan: late, instead of `body`, or with what is left of its answer.
    func answer(_ context: SandboxContext, _ body: () throws(OAuthError) -> [UInt8]) async throws -> Response {
        if delay > .zero { try await Task.sleep(for: delay) }
        if let refusal { return await answer(refusal, context) }
        let bytes: [UInt8]
        do {
            bytes = try body()
        } catch {
            return .oauth(error)
        }
        if lost { return await hangUp(context) }
        return .bytes(truncated ? Array(bytes.prefix(bytes.count / 2)) : bytes, type: "application/json")
    }

    private func answer(_ refusal: Refusal, _ context: SandboxContext) async -> Response {
        switch refusal {
        case .status(let status, let error):
            guard let error else { return .json(["message": "out of order"], status: .init(code: status)) }
            return .oauth(OAuthError(error, "out of order", status: status))
        case .rateLimited(let seconds):
            return .json(
                ["error": "rate_limit_exceeded"], status: .tooManyRequests, headers: [.retryAfter: "\(seconds)"])
        case .okWithError(let error): return .json(["error": error, "error_description": "refused with status 200"])
        case .html(let status):
            let page = "<!doctype html><title>Request blocked</title><h1>Request blocked</h1>\n"
            return .bytes(Array(page.utf8), type: "text/html; charset=utf-8", status: .init(code: status))
        case .dropped: return await hangUp(context)
        }
    }

    /// Closes the connection; the answer it returns reaches nobody.
    private func hangUp(_ context: SandboxContext) async -> Response {
        try? await context.channel.close(mode: .all)
        return Response(status: .badGateway)
    }
}
