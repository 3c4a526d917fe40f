import VaultBase

@testable import VaultCrypto

// The first byte chooses: a whole keyring, one whose checksum is made good here, or the content of its box.

private let root: GuardedKey = {
    do { return try [UInt8](repeating: 7, count: 32).withUnsafeBytes { try GuardedKey(copying: $0) } } catch {
        fatalError("\(error)")
    }
}()

private func open(_ bytes: [UInt8]) {
    _ = try? Keyring.slots(in: bytes)
    _ = try? Keyring.open(bytes, with: root)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    switch start[0] % 3 {
    case 0: open(bytes)
    case 1:
        for size in [16, 32] {
            var checksum = [UInt8](repeating: 0, count: size)
            checksum.withUnsafeMutableBytes { out in bytes.withUnsafeBytes { Blake2b.hash($0, into: out) } }
            open(bytes + checksum)
        }
    default: _ = bytes.withUnsafeBytes { try? Keyring.Body(parsing: $0) }
    }
    return 0
}
