import Vault
import VaultBase
import VaultRecords

// A line of `vault import`, as far as the connection it makes. Compiled together with the files that read it.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let now = Timestamp(seconds: 1_800_000_000)
    do {
        _ = try ConnectionLines.read(bytes, place: "here:1").connection(now: now, clientID: "")
    } catch {
        // Every refusal says where, and none repeats a token, also where a name should be; that is shorter than this one.
        precondition(error.code == .badRequest && !error.message.contains("SECRET-THAT-NO-ERROR-REPEATS"))
    }
    return 0
}
