import Logging
import VaultBase
import VaultProviders
import VaultRecords

extension EventRecord {
    /// What a receiver gets: the same bytes at every attempt.
    ///
    /// - Parameter frontend: where a person connects again, where that is what the event asks for.
    func body(frontend: String) -> [UInt8] {
        var data = [("user", user.rawValue), ("platform", platform.rawValue)] + words
        if [.reconnectNeeded, .expiring, .uncertain].contains(kind) { data.append(("reconnectUrl", frontend)) }
        let head = JSONValue.encode([("type", kind.name), ("timestamp", at.iso8601)])
        return head.dropLast() + Array(",\"data\":".utf8) + JSONValue.encode(data.map { (name: $0.0, value: $0.1) })
            + [UInt8(ascii: "}")]
    }

    /// What a log line says of it.
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["event": "\(id)", "user": "\(user)", "platform": "\(platform)"]
        for (name, value) in words { metadata[name] = "\(value)" }
        return metadata
    }

    private var words: [(String, String)] {
        [
            ("reason", facts.reason), ("grantEndsAt", facts.grantEndsAt?.iso8601),
            ("missingScope", facts.missingScope), ("revoked", facts.revoked), ("by", facts.by),
        ].compactMap { name, value in value.map { (name, $0) } }
    }
}
