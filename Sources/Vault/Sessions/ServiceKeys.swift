import Logging
public import VaultBase
import VaultCrypto
public import VaultRecords

extension Vault {
    /// How many service keys there may be.
    public static let serviceKeyLimit = 1000

    /// Makes a key for a back-end caller. It is returned this once; the store has only its keyed hash.
    ///
    /// - Throws: `bad-request` for a wish that makes no sense, `conflict` for a name that is taken.
    public func createServiceKey(_ wish: ServiceWish) async throws -> (key: ServiceKey, token: Secret) {
        guard (1...64).contains(wish.name.utf8.count),
            wish.name.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "-_.".utf8.contains($0)
            })
        else {
            throw VaultError(.badRequest, "a service key's name is 1 to 64 of a-z, 0-9, -, _ and .")
        }
        let actions = try wish.actions.map { name throws(VaultError) in
            guard let action = ServiceKey.Action(rawValue: name) else {
                throw VaultError(
                    .badRequest, "there is no action \(name)",
                    hint: "there are " + ServiceKey.Action.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return action
        }
        guard !actions.isEmpty else { throw VaultError(.badRequest, "a service key without actions is of no use") }
        if let lifetime = wish.lifetime, !(1...Self.longestServiceKey).contains(lifetime) {
            throw VaultError(.badRequest, "a service key lives from 1 second to ten years, or for ever")
        }
        let platforms = try wish.platforms.map { name throws(VaultError) in try PlatformName(name) }
        let text = ServiceKeyText()
        let key = try await records.write { transaction in
            let there = try transaction.serviceKeys { _ in }
            guard !there.contains(where: { $0.name == wish.name }) else {
                throw VaultError(
                    .conflict, "there is a service key \(wish.name) already",
                    hint: "take another name, or end that one: vault service revoke \(wish.name)")
            }
            guard there.count < Self.serviceKeyLimit else {
                throw VaultError(.conflict, "there are \(there.count) service keys already", hint: "revoke some")
            }
            let key = ServiceKey(
                id: text.id, name: wish.name, digest: transaction.digest(ofServiceSecret: text.secret),
                actions: Set(actions), platforms: platforms.isEmpty ? nil : Set(platforms),
                createdAt: transaction.now, endsAt: wish.lifetime.map { transaction.now + .seconds($0) })
            try transaction.put(key)
            return key
        }
        logger.notice("service.created", metadata: ["service": "\(key.name)", "id": "\(key.id)"])
        return (key, text.token)
    }

    private static let longestServiceKey: Int64 = 3660 * 86_400

    /// Ends a key at once, for every request that comes after.
    ///
    /// - Parameter name: its name, or its id, bare or as the key begins with it: a key that leaked is known by that, and
    ///   one that does not open by nothing else.
    /// - Returns: the key; nil for one that did not open.
    /// - Throws: `not-found`.
    public func revokeServiceKey(_ name: String) async throws -> ServiceKey? {
        let id = ServiceKeyText.id(in: name)
        let revoked = try await records.write(for: .shrinking) { transaction in
            var isDamaged = false
            let keys = try transaction.serviceKeys { isDamaged = isDamaged || $0 == id }
            let key = keys.first { $0.name == name } ?? keys.first { $0.id == id }
            guard key != nil || isDamaged else {
                throw VaultError(
                    .notFound, "there is no service key \(id)", hint: "see those there are with: vault service list")
            }
            try transaction.deleteServiceKey(key?.id ?? id)
            return key
        }
        logger.notice(
            "service.revoked", metadata: ["service": "\(revoked?.name ?? "damaged")", "id": "\(revoked?.id ?? id)"])
        return revoked
    }

    /// Notes what a key did, or was refused: who, what, whose; never a token.
    public func audit(
        _ key: ServiceKey, _ action: ServiceKey.Action, _ user: UserID, _ platform: PlatformName?, outcome: String
    ) {
        observation.service(key.name, action.rawValue, outcome)
        logger.notice(
            "service.call",
            metadata: [
                "service": "\(key.name)", "id": "\(key.id)", "action": "\(action.rawValue)", "user": "\(user)",
                "platform": "\(platform?.rawValue ?? "-")", "outcome": "\(outcome)",
            ])
    }

    /// Whose key it is. What is compared is a keyed hash, in time that does not depend on it.
    ///
    /// - Throws: `unauthorized`, always with the same words.
    public func service(_ token: Secret) throws -> ServiceKey {
        let text = ServiceKeyText(token)
        let found = try records.read { view -> ServiceKey? in
            guard let text, let key = try view.serviceKey(text.id),
                Digest.equal(key.digest, view.digest(ofServiceSecret: text.secret))
            else { return nil }
            return key
        }
        guard let found else {
            observation.service("none", "none", "refused")
            throw VaultError(
                .unauthorized, "there is no valid service key", hint: "make one with: vault service create NAME")
        }
        return found
    }
}

extension ServiceKey {
    /// Whether it may do `action` at `platform`; without a platform, at any.
    public func allows(_ action: Action, at platform: PlatformName? = nil) -> Bool {
        guard actions.contains(action) else { return false }
        guard let platform, let platforms else { return true }
        return platforms.contains(platform)
    }
}
