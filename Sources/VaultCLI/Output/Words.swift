import Vault
import VaultBase

/// Moments and connections in words for people.
enum Words {
    /// `in 42m`, `3d ago`
    static func relative(_ moment: Timestamp, now: Timestamp = SystemClock().now()) -> String {
        let seconds = (moment.rawValue - now.rawValue) / 1000
        if seconds == 0 { return "now" }
        let size = abs(seconds)
        let amount =
            switch size {
            case ..<100: "\(size)s"
            case ..<6000: "\(size / 60)m"
            case ..<172_800: "\(size / 3600)h"
            default: "\(size / 86_400)d"
            }
        return seconds < 0 ? "\(amount) ago" : "in \(amount)"
    }

    static func relative(_ moment: Moment?, now: Timestamp = SystemClock().now()) -> String {
        moment.map { relative($0.timestamp, now: now) } ?? "-"
    }

    /// `3 connections`, `1 connection`
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// Name and value, one a line, the values in one column.
    static func fields(_ pairs: [(String, String?)]) -> [String] {
        let shown = pairs.compactMap { name, value in value.map { (name, Terminal.plain($0)) } }
        let width = shown.map(\.0.count).max() ?? 0
        return shown.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + value
        }
    }

    /// Everything a connection document says.
    static func fields(_ connection: ConnectionDocument) -> [(String, String?)] {
        [
            ("user", connection.user), ("platform", connection.platform),
            ("account", connection.displayName ?? connection.subject),
            (
                "health",
                connection.health.map { health in
                    connection.healthReason.map { "\(health) (\($0))" } ?? health
                }
            ),
            ("access token", connection.accessToken),
            ("refresh token", connection.refreshToken ?? (connection.refreshable == true ? "yes" : "no")),
            ("token type", connection.tokenType), ("scope", connection.scope),
            ("expires", connection.expiresAt.map { "\($0)  \(relative($0))" }),
            ("connected", connection.consentedAt.map { "\($0)  \(relative($0))" }),
            ("updated", connection.updatedAt.map { "\($0)  \(relative($0))" }),
            ("ends", connection.endsAt.map { "\($0)  \(relative($0))" }),
            ("client id", connection.clientId), ("generation", connection.generation.map { "\($0)" }),
        ]
    }
}
