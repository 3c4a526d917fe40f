import HTTPTypes
import Hummingbird
import Logging

/// `floor-server PORT ANSWER`: what HTTP costs by itself. Answers every GET of the token's path with the bytes in the file
/// ANSWER (lines of `name: value`, an empty line, the body) and does nothing else.
@main struct Main {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 3, let port = Int(words[1]) else {
            print("floor-server PORT ANSWER")
            return
        }
        let (headers, body) = try await answer(words[2])
        let router = Router()
        router.get("/auth/{platform}/token") { _, _ in
            Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
        }
        // As vault's own: what it says of every connection would be counted as work.
        var logger = Logger(label: "floor")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger)
        try await application.runService()
    }

    private static func answer(_ path: String) async throws -> (HTTPFields, ByteBuffer) {
        let text = try readAll(path)
        var headers = HTTPFields()
        var rest = text[...]
        while let end = rest.firstIndex(of: "\n") {
            let line = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if line.isEmpty { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else { continue }
            headers[name] = String(parts[1].drop { $0 == " " })
        }
        return (headers, ByteBuffer(string: String(rest)))
    }
}
