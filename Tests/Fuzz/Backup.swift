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

// In a global of its own, where the leak checker sees it; in an enumeration's case it does not.
private let secret = BackupSecretKey(root)

// No passphrase: its cost is the file's to say, and more than a fuzzer can pay.
private let unlocks: [BackupUnlock] = [.key(root), .secretKey(secret)]

private let path = "/dev/shm/vault-fuzz-\(getpid())"

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    if start[0] % 2 == 0 {
        for size in [16, 32] {
            var checksum = [UInt8](repeating: 0, count: size)
            checksum.withUnsafeMutableBytes { out in bytes.withUnsafeBytes { Blake2b.hash($0, into: out) } }
            guard let header = try? BackupHeader(parsing: bytes + checksum) else { continue }
            for unlock in unlocks {
                _ = try? BackupSlot.fileKey(header.slots, backupID: header.backupID, with: unlock)
            }
        }
        return 0
    }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard file >= 0 else { return 0 }
    _ = write(file, bytes, bytes.count)
    close(file)
    _ = try? Backup.inspect(path)
    for unlock in unlocks { _ = try? OpenBackup([path], with: unlock).verify { _, _ in } }
    unlink(path)
    return 0
}
