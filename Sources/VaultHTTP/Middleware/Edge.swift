import Hummingbird

/// What every request of the public listener passes on its way in and every answer on its way out.
///
/// One middleware and not four: each would cost a request as much as reading a record does.
struct Edge: RouterMiddleware {
    let observation: Observation
    let rules: BrowserRules
    let problems: Problems
    let admission: Admission

    func handle(
        _ request: Request, context: FacadeContext, next: (Request, FacadeContext) async throws -> Response
    ) async throws -> Response {
        let begun = observation.begin()
        defer { observation.end() }
        var response: Response
        if let preflight = rules.preflight(request, context) {
            response = preflight
        } else {
            do {
                response = try await next(admission.admit(request), context)
            } catch {
                response = problems.answer(error, to: request, context)
            }
        }
        rules.apply(to: &response.headers, of: request.headers, at: request.uri.path)
        observation.note(
            response.status, to: request.method, at: context.endpointPath, since: begun, id: context.id)
        response.headers[.xRequestID] = context.id
        return response
    }
}
