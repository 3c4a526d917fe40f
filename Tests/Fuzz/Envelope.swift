import VaultBase
import VaultStore

@testable import VaultCrypto
@testable import VaultRecords

// The first byte chooses a table and what the rest is: a sealed value as somebody may have left it, or a
// payload that is sealed here first, to get past the seal to the parsers behind it.

private let keys: VaultKeys = {
    do {
        let root = try [UInt8](repeating: 7, count: 32).withUnsafeBytes { try GuardedKey(copying: $0) }
        return VaultKeys(
            try Keyring(vaultID: [UInt8](repeating: 1, count: 16), rootKey: root, at: Timestamp(seconds: 1_800_000_000))
        )
    } catch { fatalError("\(error)") }
}()

private let names: [SealedTable: [UInt8]] = [
    .records: Array("ada\0platform#spotify".utf8), .journal: Array("ada\0platform#spotify".utf8),
    .sessions: [UInt8](repeating: 1, count: 32), .logins: [UInt8](repeating: 2, count: 32),
    .identities: Array("platform#spotify\0account".utf8),
]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let input = UnsafeRawBufferPointer(start: start, count: count)
    let table = SealedTable.allCases[Int(input[0] & 0x7F) % SealedTable.allCases.count]
    let rest = UnsafeRawBufferPointer(rebasing: input[1...])
    let key = names[table] ?? []
    if input[0] & 0x80 == 0 {
        _ = try? key.withUnsafeBytes { try SealedValue(table, $0, rest, keys) }
        return 0
    }
    guard let total = Padding.total(rest.count, for: table) else { return 0 }
    var payload = [UInt8](repeating: 0, count: total)
    payload.replaceSubrange(0..<rest.count, with: rest)
    var value = [UInt8](repeating: 0, count: total)
    let header = Header(term: keys.active, version: 1, endsAt: 0)
    key.withUnsafeBytes { key in
        payload.withUnsafeMutableBytes { payload in
            value.withUnsafeMutableBytes { value in
                Envelope.seal(
                    payload, count: rest.count, header: header, under: key, of: table, keys: keys, into: value)
            }
        }
    }
    _ = try? key.withUnsafeBytes { key in try value.withUnsafeBytes { try SealedValue(table, key, $0, keys) } }
    return 0
}
