public import VaultBase
public import VaultRecords

/// A connection as JSON: what `show` and `export` write, what `put` and `import` read.
///
/// Only `user`, `platform` and `accessToken` are needed to write one. Moments are RFC 3339, or seconds
/// since 1970 as a number.
public struct ConnectionDocument: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var user: String
    public var platform: String
    public var accessToken: String?
    public var refreshToken: String?
    public var tokenType: String?
    public var scope: String?
    public var expiresAt: Moment?
    public var createdAt: Moment?
    public var updatedAt: Moment?
    public var consentedAt: Moment?
    public var endsAt: Moment?
    public var subject: String?
    public var displayName: String?
    public var clientId: String?
    public var generation: UInt64?
    /// `healthy`, `expiring`, `reconnect`, `uncertain` or `operator`.
    public var health: String?
    public var healthReason: String?
    public var version: UInt64?
    /// Whether there is a refresh token, for those who may not see it.
    public var refreshable: Bool?

    /// Names the connection; never its tokens.
    public var description: String { "\(user) at \(platform)" }
    public var customMirror: Mirror { Mirror(self, children: ["user": user, "platform": platform]) }

    /// - Parameter reveal: whether the tokens come along.
    public init(_ connection: Connection, reveal: Bool) {
        user = connection.user.rawValue
        platform = connection.platform.rawValue
        accessToken = reveal ? connection.accessToken.reveal() : nil
        refreshToken = reveal ? connection.refreshToken?.reveal() : nil
        tokenType = connection.tokenType
        scope = connection.scope
        expiresAt = connection.expiresAt.map(Moment.init)
        createdAt = Moment(connection.createdAt)
        updatedAt = Moment(connection.updatedAt)
        consentedAt = Moment(connection.consentedAt)
        endsAt = connection.endsAt.map(Moment.init)
        subject = connection.subject
        displayName = connection.displayName
        clientId = connection.clientID
        generation = connection.generation
        health = connection.health.name
        switch connection.health {
        case .reconnect(let reason), .operatorAction(let reason): healthReason = reason
        case .healthy, .expiring, .uncertain: healthReason = nil
        }
        version = connection.version
        refreshable = connection.refreshToken != nil
    }

    /// - Throws: `DecodingError` also for a field that does not exist: one written wrong must not be lost silently.
    public init(from decoder: any Decoder) throws {
        let names = try decoder.container(keyedBy: AnyName.self).allKeys
        if let unknown = names.first(where: { CodingKeys(rawValue: $0.stringValue) == nil }) {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [unknown.shown], debugDescription: "is no field of a connection"))
        }
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        user = try fields.decodeIfPresent(String.self, forKey: .user) ?? ""
        platform = try fields.decodeIfPresent(String.self, forKey: .platform) ?? ""
        accessToken = try fields.decodeIfPresent(String.self, forKey: .accessToken)
        refreshToken = try fields.decodeIfPresent(String.self, forKey: .refreshToken)
        tokenType = try fields.decodeIfPresent(String.self, forKey: .tokenType)
        scope = try fields.decodeIfPresent(String.self, forKey: .scope)
        expiresAt = try fields.decodeIfPresent(Moment.self, forKey: .expiresAt)
        createdAt = try fields.decodeIfPresent(Moment.self, forKey: .createdAt)
        updatedAt = try fields.decodeIfPresent(Moment.self, forKey: .updatedAt)
        consentedAt = try fields.decodeIfPresent(Moment.self, forKey: .consentedAt)
        endsAt = try fields.decodeIfPresent(Moment.self, forKey: .endsAt)
        subject = try fields.decodeIfPresent(String.self, forKey: .subject)
        displayName = try fields.decodeIfPresent(String.self, forKey: .displayName)
        clientId = try fields.decodeIfPresent(String.self, forKey: .clientId)
        generation = try fields.decodeIfPresent(UInt64.self, forKey: .generation)
        health = try fields.decodeIfPresent(String.self, forKey: .health)
        healthReason = try fields.decodeIfPresent(String.self, forKey: .healthReason)
        version = try fields.decodeIfPresent(UInt64.self, forKey: .version)
        refreshable = try fields.decodeIfPresent(Bool.self, forKey: .refreshable)
    }

    /// The names of all fields, for those who want to say which one was meant.
    public static var fields: [String] { CodingKeys.allCases.map(\.rawValue) }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case user, platform, accessToken, refreshToken, tokenType, scope, expiresAt, createdAt, updatedAt
        case consentedAt, endsAt, subject, displayName, clientId, generation, health, healthReason, version
        case refreshable
    }

    private struct AnyName: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }

        /// Itself, where it can only be a name: a token in the wrong place is not repeated.
        var shown: AnyName {
            let isName = stringValue.utf8.count <= 24 && stringValue.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            return isName ? self : AnyName(stringValue: "one of the names")
        }
    }

    /// The longest token, in bytes: more than any provider gives, less than the store's largest value.
    public static let tokenLimit = 6 << 10

    /// The connection it describes, what is missing filled in.
    ///
    /// - Throws: `bad-request` naming the field that is wrong.
    public func connection(now: Timestamp, clientID: String) throws(VaultError) -> Connection {
        guard let accessToken, !accessToken.isEmpty else {
            throw VaultError(
                .badRequest, "accessToken is missing", hint: "one JSON object: {\"accessToken\": \"…\", …}")
        }
        for (name, token) in [("accessToken", accessToken), ("refreshToken", refreshToken ?? "")]
        where token.utf8.count > Self.tokenLimit {
            throw VaultError(
                .badRequest, "\(name) is longer than \(Self.tokenLimit) bytes", hint: "no provider gives such a token")
        }
        return Connection(
            user: try UserID(user), platform: try PlatformName(platform), accessToken: Secret(accessToken),
            refreshToken: refreshToken.flatMap { $0.isEmpty ? nil : Secret($0) }, tokenType: tokenType ?? "Bearer",
            scope: scope ?? "", expiresAt: expiresAt?.timestamp, createdAt: createdAt?.timestamp ?? now,
            updatedAt: updatedAt?.timestamp ?? now, consentedAt: (consentedAt ?? createdAt)?.timestamp ?? now,
            endsAt: endsAt?.timestamp, subject: subject ?? "", displayName: displayName,
            clientID: clientId ?? clientID, generation: generation ?? 1, health: try readHealth())
    }

    private func readHealth() throws(VaultError) -> Health {
        switch health {
        // Its end says the rest.
        case nil, "healthy", "expiring": .healthy
        case "reconnect": .reconnect(reason: healthReason ?? "imported")
        case "uncertain": .uncertain
        case "operator": .operatorAction(reason: healthReason ?? "imported")
        default:
            throw VaultError(
                .badRequest, "health is none of healthy, expiring, reconnect, uncertain, operator",
                hint: "leave it out for healthy")
        }
    }
}

/// A moment in JSON: written as RFC 3339 in UTC, read as that or as seconds since 1970.
public struct Moment: Codable, Sendable, Equatable, CustomStringConvertible {
    public var timestamp: Timestamp
    public var description: String { timestamp.iso8601 }

    public init(_ timestamp: Timestamp) { self.timestamp = timestamp }

    /// Up to the end of the year 9999, the last one that can be written (RFC 3339 §5.6).
    private static let seconds: ClosedRange<Int64> = 0...253_402_300_799

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let seconds = try? container.decode(Int64.self), Self.seconds.contains(seconds) {
            timestamp = Timestamp(seconds: seconds)
        } else if let text = try? container.decode(String.self), let moment = Timestamp(rfc3339: text) {
            timestamp = moment
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expects a moment like 2026-11-23T13:08:15Z or seconds since 1970")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(timestamp.iso8601)
    }
}
