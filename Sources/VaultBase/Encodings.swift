/// Base64 (RFC 4648 §4) and base64url without padding (§5).
public enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        withContiguous(bytes) { encode($0, standard, padded: true) }
    }

    public static func encodeURL(_ bytes: some Collection<UInt8>) -> String {
        withContiguous(bytes) { encode($0, url, padded: false) }
    }

    private static func encode(_ bytes: UnsafeBufferPointer<UInt8>, _ alphabet: [UInt8], padded: Bool) -> String {
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { out in
            var count = 0
            var buffer: UInt32 = 0
            var bits = 0
            func put(_ byte: UInt8) {
                out[count] = byte
                count += 1
            }
            for byte in bytes {
                buffer = buffer << 8 | UInt32(byte)
                bits += 8
                while bits >= 6 {
                    bits -= 6
                    put(alphabet[Int(buffer >> UInt32(bits) & 63)])
                }
            }
            if bits > 0 { put(alphabet[Int(buffer << UInt32(6 - bits) & 63)]) }
            if padded { while count % 4 != 0 { put(0x3D) } }
            return count
        }
    }

    /// Reads either alphabet, padded or not; nil for anything else, also for stray bits at the end
    /// (two texts must not mean the same bytes: a JWT signature compares as text somewhere).
    public static func decode(_ text: some StringProtocol) -> [UInt8]? { withContiguous(text.utf8, decode) }

    /// The same of text as it stands in memory.
    public static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let padding = text.reversed().prefix { $0 == 0x3D }.count
        let count = text.count - padding
        guard count % 4 != 1, padding == 0 || text.count % 4 == 0 && padding <= 2 else { return nil }
        // What a character stands for is below 64, so anything above it shows in the sum of all.
        var seen: UInt8 = 0
        var rest: UInt32 = 0
        let out = [UInt8](unsafeUninitializedCapacity: count * 3 / 4) { out, written in
            var buffer: UInt32 = 0
            var bits: UInt32 = 0
            values.withUnsafeBufferPointer { values in
                for character in text[..<count] {
                    let value = values[Int(character)]
                    seen |= value
                    buffer = buffer << 6 | UInt32(value)
                    bits += 6
                    guard bits >= 8 else { continue }
                    bits -= 8
                    out[written] = UInt8(truncatingIfNeeded: buffer >> bits)
                    written += 1
                }
            }
            rest = buffer & ((1 << bits) - 1)
        }
        return seen < 64 && rest == 0 ? out : nil
    }

    /// What each character of either alphabet stands for; 64 for all others.
    private static let values = {
        var values = [UInt8](repeating: 64, count: 256)
        for alphabet in [standard, url] {
            for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        }
        return values
    }()
}

/// Hexadecimal, lower case when written, either case when read.
public enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        withContiguous(bytes) { bytes in
            var out: [UInt8] = []
            out.reserveCapacity(2 * bytes.count)
            for byte in bytes {
                out.append(digits[Int(byte >> 4)])
                out.append(digits[Int(byte & 15)])
            }
            return String(decoding: out, as: UTF8.self)
        }
    }

    public static func decode(_ text: some StringProtocol) -> [UInt8]? { withContiguous(text.utf8, decode) }

    private static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var high: UInt8?
        for character in text {
            let value: UInt8
            switch character {
            case 0x30...0x39: value = character - 0x30
            case 0x61...0x66: value = character - 0x61 + 10
            case 0x41...0x46: value = character - 0x41 + 10
            default: return nil
            }
            if let first = high {
                out.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? out : nil
    }
}

/// Lends the bytes in one piece. A loop over what is generic, called from another module, asks a table at every step:
/// that is a hundred times slower than the same loop over memory.
func withContiguous<R>(_ bytes: some Sequence<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    if let result = bytes.withContiguousStorageIfAvailable(body) { return result }
    return Array(bytes).withUnsafeBufferPointer(body)
}
