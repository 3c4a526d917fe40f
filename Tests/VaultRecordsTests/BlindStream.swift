import CSodium
import VaultCrypto

/// libsodium's secretstream without its seals: what a reader would take for the plaintext that checks no MAC.
enum BlindStream {
    private static let chunk = 65536 + 17

    /// - Parameter stream: the stream's header and all its chunks.
    static func open(_ stream: ArraySlice<UInt8>, key: GuardedKey) -> [UInt8] {
        // The stream's key and nonce, from its header (libsodium, secretstream_xchacha20poly1305).
        let header = Array(stream.prefix(24))
        var subkey = [UInt8](repeating: 0, count: 32)
        _ = crypto_core_hchacha20(&subkey, header, key.withBytes { Array($0) }, nil)
        var nonce: [UInt8] = [1, 0, 0, 0] + header[16...]
        var plain: [UInt8] = []
        var rest = stream.dropFirst(24)
        while rest.count > 17 {
            let sealed = Array(rest.prefix(chunk))
            rest = rest.dropFirst(chunk)
            let (box, mac) = (Array(sealed[1..<(sealed.count - 16)]), sealed.suffix(16))
            var opened = [UInt8](repeating: 0, count: box.count)
            // Block 0 is the MAC's key, block 1 the tag.
            crypto_stream_chacha20_ietf_xor_ic(&opened, box, UInt64(box.count), &nonce, 2, &subkey)
            plain += opened
            for (index, byte) in mac.prefix(8).enumerated() { nonce[4 + index] ^= byte }
            nonce[0] += 1
        }
        return plain
    }
}
