import HTTPTypes
import Hummingbird
import NIOCore
import VaultBase

/// A problem for a person: what a browser shows when the provider sends it back and the login is not ours
/// to finish. The only address a person opens without a page of the frontend around it.
///
/// It says the same as the JSON, escaped, and links to the frontend; no script, no style, nothing from elsewhere.
struct ProblemPage {
    let problem: Problem
    let frontend: String
    let requestID: String

    /// Whether this request wants it: a navigation, which a browser says by asking for HTML first.
    static func isWanted(by request: Request) -> Bool {
        request.method == .get && FacadeParts.isCallback(request.uri.path)
            && (request.headers[.accept]?.hasPrefix("text/html") ?? false)
    }

    var response: Response {
        let page = """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark">
            <title>\(Self.escape(problem.kind.title))</title>
            <h1>\(Self.escape(problem.kind.title))</h1>
            <p>\(Self.escape(problem.detail))</p>
            <p>\(Self.escape(problem.hint ?? ""))</p>
            <p><a href="\(Self.escape(frontend))">Back to the application</a></p>
            <p><small>\(Self.escape(problem.kind.code.name)), request \(Self.escape(requestID))</small></p>

            """
        var headers = problem.headers
        headers[.contentType] = "text/html; charset=utf-8"
        return Response(
            status: problem.kind.status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: page)))
    }

    static func escape(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.append(character)
            }
        }
        return out
    }
}
