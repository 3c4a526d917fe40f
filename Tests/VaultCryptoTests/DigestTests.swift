import Testing
import VaultBase
import VaultCrypto

@Suite struct DigestTests {
    @Test func sha256MatchesFIPS180() throws {
        #expect(
            Hex.encode(Digest.sha256("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(Digest.sha256([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    /// RFC 4231 §4.2, §4.3 and §4.7: short keys and one longer than the block; then no key at all.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        ([], "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ])
    func hmacMatchesRFC4231(key: [UInt8], message: String, expected: String) {
        #expect(Hex.encode(Digest.hmacSHA256(message.utf8, key: Secret(bytes: key))) == expected)
    }

    /// Expected value from Python's `hashlib.blake2b(b"abc", digest_size=32)`.
    @Test func blake2bMatchesRFC7693() {
        #expect(
            Hex.encode(Digest.blake2b("abc".utf8))
                == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
        var stream = Blake2bStream()
        Array("a".utf8).withUnsafeBytes { stream.update($0) }
        Array("bc".utf8).withUnsafeBytes { stream.update($0) }
        #expect(stream.finish() == Digest.blake2b("abc".utf8))
    }

    /// Expected value from Python's `hashlib.blake2b(b"message", digest_size=32, key=bytes(range(32)), person=b"vault-rec-v1")`.
    @Test func keyedBlake2bBindsKeyAndPurpose() throws {
        let key = try key(Array(0..<32))
        let hash = Blake2b.hash(Array("message".utf8), key: key, for: Purpose("vault-rec-v1"))
        #expect(Hex.encode(hash) == "a423e6582a99d8bffbb39e90d15b3e62b0a8091d3e47991527620bad2926f7d1")
        #expect(Blake2b.hash(Array("message".utf8), key: key, for: Purpose("vault-set-v1")) != hash)
        #expect(
            Blake2b.hash(Array("message".utf8), key: try GuardedKey.generate(), for: Purpose("vault-rec-v1")) != hash)
        #expect(Blake2b.hash(Array("message".utf8), key: key, for: Purpose("vault-rec-v1"), bytes: 16).count == 16)
    }

    @Test func comparesWhole() {
        #expect(Digest.equal([1, 2, 3], [1, 2, 3]))
        #expect(!Digest.equal([1, 2, 3], [1, 2, 4]))
        #expect(!Digest.equal([1, 2, 3], [1, 2]))
        #expect(Digest.equal([], []))
    }

    @Test func randomTokensDifferAndHaveTheirLength() {
        #expect(Random.token().utf8.count == 43)
        #expect(Random.token() != Random.token())
        #expect(Random.bytes(0).isEmpty)
        #expect(Set(Random.bytes(256)).count > 64)
    }
}

func key(_ bytes: [UInt8]) throws -> GuardedKey { try bytes.withUnsafeBytes { try GuardedKey(copying: $0) } }
