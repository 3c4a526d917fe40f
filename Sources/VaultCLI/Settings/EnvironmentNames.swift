import VaultBase

/// The names settings have in the environment.
enum EnvironmentNames {
    /// `store.path` → `STORE_PATH`, `my-idp` → `MY_IDP`
    static func upper(_ name: String) -> String {
        String(
            decoding: name.utf8.map { byte in
                switch byte {
                case 0x61...0x7A: byte - 0x20
                case 0x2D, 0x2E: 0x5F
                default: byte
                }
            }, as: UTF8.self)
    }

    /// `MY_IDP` → `my-idp`; nil when that is no platform's name.
    static func platform(_ upper: some StringProtocol) -> PlatformName? {
        try? PlatformName(upper.lowercased().map { $0 == "_" ? "-" : String($0) }.joined())
    }

    /// The names that are older than vault.conf and go on working, each with its setting.
    static let seeds: [(name: String, path: String)] = [
        ("FRONTEND_URL", "frontend.url"),
        ("JWT_SECRET", "session.secret"),
    ]

    /// The endings of a platform's own names, each with its setting: `SPOTIFY_CLIENT_ID`.
    static let platformSeeds: [(ending: String, key: String)] = [
        ("CLIENT_ID", "client-id"),
        ("CLIENT_SECRET", "client-secret"),
        ("REDIRECT_URI", "redirect-uri"),
    ]

    /// The names a DynamoDB table had; they do nothing here.
    static let dynamo = ["DYNAMODB_TABLE_NAME", "DYNAMODB_REGION"]
}
