import Testing
import VaultBase
import VaultCrypto

@Suite struct SecretBoxTests {
    /// The example of the NaCl paper ("Cryptography in NaCl" §10), as tests/secretbox.c of libsodium has it.
    @Test func matchesNaCl() throws {
        let key = try key(#require(Hex.decode("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")))
        let nonce = try #require(Hex.decode("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"))
        let plain = try #require(
            Hex.decode(
                "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129"
                    + "6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
                    + "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705"))
        let expected =
            "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a"
            + "c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae"
            + "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74"
            + "e355a5"
        let box = seal(plain, nonce: nonce, key: key)
        #expect(Hex.encode(box) == expected)
        #expect(open(box, nonce: nonce, key: key) == plain)
    }

    @Test func anyChangedBitDoesNotOpen() throws {
        let key = try GuardedKey.generate()
        let nonce = Random.bytes(24)
        let box = seal(Array("attack at dawn".utf8), nonce: nonce, key: key)
        for index in box.indices {
            for bit in 0..<8 {
                var changed = box
                changed[index] ^= 1 << bit
                #expect(open(changed, nonce: nonce, key: key) == nil)
            }
        }
        for count in 0..<box.count { #expect(open(Array(box.prefix(count)), nonce: nonce, key: key) == nil) }
        #expect(open(box, nonce: Random.bytes(24), key: key) == nil)
        #expect(open(box, nonce: nonce, key: try GuardedKey.generate()) == nil)
    }

    @Test func theEmptyMessageIsAMessage() throws {
        let key = try GuardedKey.generate()
        let nonce = Random.bytes(24)
        #expect(open(seal([], nonce: nonce, key: key), nonce: nonce, key: key) == [])
    }

    private func seal(_ plain: [UInt8], nonce: [UInt8], key: GuardedKey) -> [UInt8] {
        var box = [UInt8](repeating: 0, count: plain.count + SecretBox.overhead)
        box.withUnsafeMutableBytes { box in
            plain.withUnsafeBytes { plain in
                nonce.withUnsafeBytes { nonce in
                    SecretBox.seal(plain, nonce: nonce.baseAddress!, key: key.address, into: box)
                }
            }
        }
        return box
    }

    private func open(_ box: [UInt8], nonce: [UInt8], key: GuardedKey) -> [UInt8]? {
        var plain = [UInt8](repeating: 0, count: max(0, box.count - SecretBox.overhead))
        let opened = plain.withUnsafeMutableBytes { plain in
            box.withUnsafeBytes { box in
                nonce.withUnsafeBytes { nonce in
                    SecretBox.open(box, nonce: nonce.baseAddress!, key: key.address, into: plain)
                }
            }
        }
        return opened ? plain : nil
    }
}

@Suite struct SecretStreamTests {
    @Test func chunksComeBackInOrderAndTheLastSaysSo() throws {
        let key = try GuardedKey.generate()
        let (header, chunks) = sealed([[1, 2, 3], [], [4]], key: key)
        var pull = SecretStream.Pull(key: key, header: header)
        #expect(open(&pull, chunks[0], 0)?.bytes == [1, 2, 3])
        #expect(open(&pull, chunks[1], 1)?.bytes == [])
        let last = open(&pull, chunks[2], 2)
        #expect(last?.bytes == [4])
        #expect(last?.isFinal == true)
    }

    @Test func aSwappedRepeatedOrMovedChunkDoesNotOpen() throws {
        let key = try GuardedKey.generate()
        let (header, chunks) = sealed([[1], [2], [3]], key: key)
        var swapped = SecretStream.Pull(key: key, header: header)
        #expect(open(&swapped, chunks[1], 0) == nil)
        var repeated = SecretStream.Pull(key: key, header: header)
        #expect(open(&repeated, chunks[0], 0) != nil)
        #expect(open(&repeated, chunks[0], 1) == nil)
        var wrongIndex = SecretStream.Pull(key: key, header: header)
        #expect(open(&wrongIndex, chunks[0], 1) == nil)
        var wrongKey = SecretStream.Pull(key: try GuardedKey.generate(), header: header)
        #expect(open(&wrongKey, chunks[0], 0) == nil)
    }

    private struct Opened: Equatable {
        var bytes: [UInt8]
        var isFinal: Bool
    }

    private func sealed(_ plain: [[UInt8]], key: GuardedKey) -> (header: [UInt8], chunks: [[UInt8]]) {
        var push = SecretStream.Push(key: key)
        var chunks: [[UInt8]] = []
        for (index, chunk) in plain.enumerated() {
            var out = [UInt8](repeating: 0, count: chunk.count + SecretStream.overhead)
            out.withUnsafeMutableBytes { out in
                chunk.withUnsafeBytes {
                    push.push($0, index: UInt64(index), isFinal: index == plain.count - 1, into: out)
                }
            }
            chunks.append(out)
        }
        return (push.header, chunks)
    }

    private func open(_ pull: inout SecretStream.Pull, _ sealed: [UInt8], _ index: UInt64) -> Opened? {
        var out = [UInt8](repeating: 0, count: sealed.count - SecretStream.overhead)
        let isFinal = out.withUnsafeMutableBytes { out in
            sealed.withUnsafeBytes { pull.pull($0, index: index, into: out) }
        }
        return isFinal.map { Opened(bytes: out, isFinal: $0) }
    }
}
