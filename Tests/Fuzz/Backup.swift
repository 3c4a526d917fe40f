import VaultBase

#if canImport(Glibc)
    import Glibc
#endif

@testable import VaultCrypto
@testable import VaultRecords

// The first byte chooses: a whole file, or a header whose checksum is made good here.

private let root: GuardedKey = {
    do { return try [UInt8](repeating: 7, count: 32).withUnsafeBytes { try GuardedKey(copying: $0) } } catch {
        fatalError("\(error)")
    }
}()

private let path = "/dev/shm/vault-fuzz-\(getpid())"

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    if start[0] % 2 == 0 {
        for size in [16, 32] {
            var checksum = [UInt8](repeating: 0, count: size)
            checksum.withUnsafeMutableBytes { out in bytes.withUnsafeBytes { Blake2b.hash($0, into: out) } }
            _ = try? BackupHeader(parsing: bytes + checksum)
        }
        return 0
    }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard file >= 0 else { return 0 }
    _ = write(file, bytes, bytes.count)
    close(file)
    _ = try? Backup.inspect(path)
    _ = try? Backup.verify(path, rootKey: root) { _, _ in }
    unlink(path)
    return 0
}
