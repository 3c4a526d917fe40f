public import VaultBase
import VaultCrypto
import VaultStore

extension RecordsView {
    /// The key whose public part is `id`, while it is valid.
    public func serviceKey(_ id: String) throws -> ServiceKey? {
        guard let key = Hex.decode(id), key.count == ServiceKey.idSize else { return nil }
        return try open(.services, key) { payload, header in
            try key.withUnsafeBytes { try ServiceKey(payload, $0, header) }
        }
    }

    /// All keys that are valid, in order of name.
    ///
    /// - Parameter damaged: told the id of each that does not open; the others are returned. Without it, the first such
    ///   key throws.
    public func serviceKeys(damaged: ((_ id: String) throws -> Void)? = nil) throws -> [ServiceKey] {
        var ids: [[UInt8]] = []
        try transaction.scan(.services, from: RawSpan()) { key, _ in
            ids.append(key.withUnsafeBytes { Array($0) })
            return true
        }
        return try ids.map { Hex.encode($0) }.compactMap { id in
            do {
                return try serviceKey(id)
            } catch let error as VaultError {
                guard let damaged else { throw error }
                try damaged(id)
                return nil
            }
        }.sorted { $0.name < $1.name }
    }

    /// What stands in the store for the secret part of a service key.
    public func digest(ofServiceSecret secret: Secret) -> [UInt8] {
        keys.hash(secret.reveal(), for: Purpose("vault-service-id"))
    }
}

extension RecordsTransaction {
    /// - Throws: `bad-request` for an id that is none.
    public func put(_ service: ServiceKey) throws {
        guard let key = Hex.decode(service.id), key.count == ServiceKey.idSize else {
            throw VaultError(.badRequest, "that is no service key's id")
        }
        try set(.services, key, endsAt: service.endsAt, agenda: []) { service.write(&$0) }
    }

    /// False when there was none.
    @discardableResult
    public func deleteServiceKey(_ id: String) throws -> Bool {
        guard let key = Hex.decode(id), key.count == ServiceKey.idSize else { return false }
        return try remove(.services, key)
    }
}

extension ServiceKey {
    /// The public part, in bytes.
    public static let idSize = 8
}
