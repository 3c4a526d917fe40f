public import VaultBase
public import VaultCrypto
import VaultRecords

/// One key that opens the vault; nothing of the key itself.
public struct KeyDocument: Codable, Sendable, Equatable {
    public var id: String
    /// `root-key`, `passphrase`, `recovery` or `unknown`.
    public var kind: String
    /// Whether the vault was opened with it.
    public var inUse: Bool
    /// What a passphrase is derived with, in hexadecimal.
    public var parameters: String
    /// The vault's own id, in hexadecimal.
    public var vault: String

    init(_ slot: KeySlot, vault: String) {
        id = slot.id
        kind = slot.kind.rawValue
        inUse = slot.isInUse
        parameters = slot.parameters
        self.vault = vault
    }

    /// Whether `passphrase` is this key's; takes half a second for a passphrase, no time for another kind.
    public func opens(with passphrase: Secret) throws(VaultError) -> Bool {
        guard kind == KeySlot.Kind.passphrase.rawValue else { return false }
        return try KeySlot.opens(passphrase, id: id, parameters: parameters, vaultID: vault)
    }
}

/// A key on its way from the command that made it to the process that has the vault open.
public struct NewKeyDocument: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    var kind: UInt8
    var parameters: String
    var key: String

    public var description: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    public init(_ new: NewKey) {
        kind = new.kind
        parameters = Hex.encode(new.parameters)
        key = new.key.withBytes { Hex.encode($0) }
    }

    /// - Throws: `bad-request` when it is none.
    func newKey() throws(VaultError) -> NewKey {
        guard let parameters = Hex.decode(parameters), let bytes = Hex.decode(key) else {
            throw VaultError(.badRequest, "that is no key a vault can have")
        }
        let secret = Secret(bytes: bytes)
        let key = try secret.withBytes { bytes in
            Result { () throws(VaultError) in try GuardedKey(copying: bytes) }
        }.get()
        return try NewKey(key: key, kind: kind, parameters: parameters)
    }
}

/// A data key and what it seals.
public struct TermDocument: Codable, Sendable, Equatable {
    public var id: UInt32
    /// `active`, `readable` or `destroyed`.
    public var state: String
    public var createdAt: String
    /// How many values it seals.
    public var values: Int

    init(_ term: VaultStatus.Term) {
        id = term.id
        state = term.state
        createdAt = term.createdAt.iso8601
        values = term.values
    }
}

/// How a rotation stands, or what it did.
public struct RotationDocument: Codable, Sendable, Equatable {
    public var terms: [TermDocument]
    /// Values of all kinds.
    public var total: Int
    /// Values that older terms still seal.
    public var remaining: Int
    /// Whether a rotation was begun and not finished.
    public var unfinished: Bool
    /// What the command itself did; nil when it only looked.
    public var done: Done?

    public struct Done: Codable, Sendable, Equatable {
        public var term: UInt32
        public var resumed: Bool
        public var resealed: Int
        public var destroyed: [UInt32]
        public var problems: [CheckDocument.Problem]
    }

    init(_ status: RotationStatus, _ result: RotationResult? = nil) {
        terms = status.terms.map(TermDocument.init)
        total = status.total
        remaining = status.remaining
        unfinished = status.isUnfinished
        done = result.map { result in
            Done(
                term: result.term, resumed: result.resumed, resealed: result.resealed, destroyed: result.destroyed,
                problems: result.damaged.map { CheckDocument.Problem($0) })
        }
    }
}
