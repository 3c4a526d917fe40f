import CSodium
public import VaultBase

extension GuardedKey {
    /// Reads a key as a file, an environment variable or a command gives it: 32 raw bytes, or their 64
    /// hexadecimal digits, or their base64 or base64url (with or without padding); spaces and line ends
    /// around the text do not count.
    /// 32 printable characters are no raw key: they are a shorter one in hexadecimal, or a passphrase.
    ///
    /// Text that repeats one byte, such as a row of zeros, is refused: it is a placeholder, not a key.
    ///
    /// - Throws: `bad-request`, without any part of what was given.
    public convenience init(text bytes: UnsafeRawBufferPointer) throws(VaultError) {
        var decoded: [UInt8]
        if bytes.count == Self.size, bytes.contains(where: { !(0x20...0x7E).contains($0) }) {
            decoded = Array(bytes)
        } else {
            var text = bytes[...]
            while let last = text.last, last <= 0x20 { text = text.dropLast() }
            while let first = text.first, first <= 0x20 { text = text.dropFirst() }
            let string = String(decoding: text, as: UTF8.self)
            decoded = Hex.decode(string) ?? []
            if decoded.count != Self.size { decoded = Base64.decode(string) ?? [] }
        }
        defer { decoded.withUnsafeMutableBytes { sodium_memzero($0.baseAddress, $0.count) } }
        guard decoded.count == Self.size else {
            throw VaultError(
                .badRequest, "the key is not \(Self.size) bytes, raw, in hexadecimal or in base64",
                hint: "make one with: head -c 32 /dev/urandom | base64")
        }
        guard decoded.contains(where: { $0 != decoded[0] }) else {
            throw VaultError(
                .badRequest, "the key repeats one byte: that is a placeholder",
                hint: "make one with: head -c 32 /dev/urandom | base64")
        }
        try self.init { output in decoded.withUnsafeBytes { output.copyMemory(from: $0) } }
    }
}
