import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import VaultBase

/// Turns whatever was thrown into `application/problem+json`, and says in the log what the client is not told.
struct Problems: RouterMiddleware {
    let endpoints: Endpoints
    /// Where a person is sent back to; nil for a listener that people do not see.
    var frontend: String?

    func handle(
        _ request: Request, context: FacadeContext, next: (Request, FacadeContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return answer(error, to: request, context)
        }
    }

    func answer(_ error: any Error, to request: Request, _ context: FacadeContext) -> Response {
        let refusal = translate(error, request)
        var problem = Problem(refusal.error)
        problem.headers.append(contentsOf: refusal.headers)
        if problem.kind.code == .unauthorized {
            // RFC 6750 §3.1: no error code for who sent nothing.
            let sent = request.headers.contains(.authorization)
            problem.headers[.wwwAuthenticate] = sent ? "Bearer error=\"invalid_token\"" : "Bearer"
        }
        log(refusal.error, as: problem.kind, context.logger)
        if let frontend, ProblemPage.isWanted(by: request) {
            return ProblemPage(problem: problem, frontend: frontend, requestID: context.id).response
        }
        var response = problem.response(requestID: context.id)
        // A stream of HTTP/2 ends by itself, and may not speak of its connection (RFC 9113 §8.2.2).
        if problem.kind.code == .tooLarge, !context.isMultiplexed { end(&response, context) }
        return response
    }

    private func translate(_ error: any Error, _ request: Request) -> Refusal {
        switch error {
        case let refusal as Refusal: return refusal
        case let error as VaultError: return Refusal(error: error, headers: [:])
        case is NIOTooManyBytesError:
            return Refusal(error: VaultError(.tooLarge, "the body is over \(Limits.body) bytes"), headers: [:])
        case let error as HTTPError where error.status == .notFound:
            let methods = endpoints.methods(at: request.uri.path).map(\.rawValue).joined(separator: ", ")
            guard !methods.isEmpty else {
                let error = VaultError(.notFound, "there is no such path", hint: "see what there is at /openapi.json")
                return Refusal(error: error, headers: [:])
            }
            return Refusal(
                error: VaultError(.methodNotAllowed, "the path is not for this method", hint: "use \(methods)"),
                headers: [.allow: methods])
        case let error as HTTPError where error.status.kind == .clientError:
            return Refusal(error: VaultError(.badRequest, "the request cannot be read", cause: error), headers: [:])
        default:
            return Refusal(error: VaultError(.internal, "unexpected error", cause: error), headers: [:])
        }
    }

    private func log(_ error: VaultError, as kind: Problem.Kind, _ logger: Logger) {
        let level: Logger.Level =
            switch kind.status.code {
            case 500, 502, 507: .error
            case 503: .warning
            default: .debug
            }
        var metadata: Logger.Metadata = ["code": .string(error.code.name), "detail": .string(error.message)]
        if let hint = error.hint { metadata["hint"] = .string(hint) }
        if let cause = error.cause { metadata["cause"] = .string("\(cause)") }
        logger.log(level: level, "request refused", metadata: metadata)
    }

    /// Closes the connection behind the answer: what the client still wants to send is not read.
    private func end(_ response: inout Response, _ context: FacadeContext) {
        response.headers[.connection] = "close"
        let body = response.body
        let channel = context.channel
        response.body = ResponseBody(contentLength: body.contentLength) { writer in
            try await body.write(writer)
            channel.close(mode: .input, promise: nil)
        }
    }
}
