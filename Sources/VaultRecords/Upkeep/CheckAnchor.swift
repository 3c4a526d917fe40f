public import VaultBase
import VaultCrypto

/// What a vault held at one moment, in a line to keep somewhere else: `SEQUENCE:HASH`.
///
/// Whoever can write the file can put back an earlier one whole, and everything in that is good. An anchor
/// printed since then shows it. Keep the newest one: writes made after such a return cannot be told apart.
public struct CheckAnchor: Sendable, Equatable {
    public var sequence: UInt64
    /// BLAKE2b of the vault's id, its sequence and its tables under the state key, the first 16 bytes.
    let hash: [UInt8]

    private static let purpose = Purpose("vault-anchor-v1")
    private static let hashSize = 16

    init(_ state: VaultState, _ keys: VaultKeys) {
        sequence = state.sequence
        // Without the clock and the terms, which change while the contents do not.
        var contents = VaultState(vaultID: state.vaultID, at: Timestamp(rawValue: 0), keyringGeneration: 0)
        contents.sequence = state.sequence
        contents.epoch = state.epoch
        contents.tables = state.tables
        let bytes = contents.encoded(keys)
        hash = Array(Blake2b.hash(bytes, key: keys.keyring.stateKey, for: Self.purpose).prefix(Self.hashSize))
    }

    /// - Throws: `bad-request` for anything but `SEQUENCE:HASH`.
    public init(_ text: String) throws(VaultError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = UInt64(parts[0]), let hash = Hex.decode(String(parts[1])),
            hash.count == Self.hashSize
        else {
            throw VaultError(
                .badRequest, "an anchor is SEQUENCE:HASH", hint: "copy it from what an earlier vault check printed")
        }
        self.sequence = sequence
        self.hash = hash
    }

    public var text: String { "\(sequence):\(Hex.encode(hash))" }

    /// What is wrong with a vault that stands at `present` now; nil when it may well have come from here.
    public func fault(at present: CheckAnchor) -> String? {
        if present.sequence < sequence {
            return "the whole vault was put back: it stands at \(present.sequence), and stood at \(sequence) before"
        }
        if present.sequence == sequence, present.hash != hash {
            return "at \(sequence) the vault held something else: it is another one, or was changed as a whole"
        }
        return nil
    }
}
