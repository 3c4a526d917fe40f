import HTTPTypes
import Hummingbird

/// One page of the sandbox: HTML made here, one style sheet, and no script but the one that hands over a token.
struct Page {
    let html: String

    /// Scopes that cannot be left out on the consent page.
    static let required = ["openid", "profile"]

    /// - Parameter body: markup; everything foreign in it went through ``escape(_:)``.
    init(title: String, heading: String, body: String) {
        html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(Self.escape(heading)) · \(Self.escape(title))</title>
            <link rel="stylesheet" href="/style.css">
            </head>
            <body>
            <main>
            <p class="brand"><span class="mark" aria-hidden="true"></span>\(Self.escape(title))</p>
            \(body)
            </main>
            <footer>A test server. It asks for no password and forgets everything when it stops.</footer>
            </body>
            </html>

            """
    }

    static func escape(_ text: String) -> String {
        text.reduce(into: "") { out, character in
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.append(character)
            }
        }
    }

    /// `form-action` also holds for the redirects after a post (CSP 3 §6.4.2 as browsers have it): from consent
    /// to the callback and on to the frontend, which may be on any loopback port or on https.
    func response(status: HTTPResponse.Status = .ok, scripts: Bool = false) -> Response {
        .bytes(
            Array(html.utf8), type: "text/html; charset=utf-8", status: status,
            headers: [
                .contentSecurityPolicy:
                    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
                    + (scripts ? "script-src 'self'; " : "")
                    + "form-action 'self' http://127.0.0.1:* http://localhost:* https:",
                .referrerPolicy: "no-referrer",
            ])
    }
}
