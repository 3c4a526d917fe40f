import VaultBase

@testable import VaultProviders

// What a provider sends: JSON or a form. The first byte chooses.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    if start[0] % 2 == 0 {
        _ = JSONValue(bytes)
    } else {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let pairs = FormText.decode(text) else { return 0 }
        // What was read once is written and read again the same.
        let again = FormText.decode(FormText.encode(pairs)) ?? []
        precondition(again.map(\.name) == pairs.map(\.name) && again.map(\.value) == pairs.map(\.value))
    }
    return 0
}
