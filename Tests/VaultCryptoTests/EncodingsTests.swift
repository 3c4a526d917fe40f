import Testing
import VaultBase

@Suite struct EncodingsTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func readsAndWritesTheVectorsOfTheRFC(text: String, base64: String) {
        #expect(Base64.encode(text.utf8) == base64)
        #expect(Base64.decode(base64).map { String(decoding: $0, as: UTF8.self) } == text)
    }

    @Test func takesBytesThatDoNotLieInOnePiece() {
        let bytes: [UInt8] = [0x00, 0xFF, 0xFB, 0x10, 0x7E]
        #expect(Base64.encodeURL(bytes.reversed().lazy.reversed()) == "AP_7EH4")
        #expect(Hex.encode(bytes.lazy.map { $0 }) == "00fffb107e")
        #expect(Secret(bytes: bytes.lazy.map { $0 }) == Secret(bytes: bytes))
        #expect(Base64.decode("x.AP_7EH4.y".dropFirst(2).dropLast(2)) == bytes)
        #expect(Hex.decode("0x00fffb107e".dropFirst(2)) == bytes)
    }

    @Test(arguments: ["Zg=", "Zg===", "Z", "Zh", "Zg==Zg", "Zm9 v", "Zm9\u{00FC}"])
    func refusesBase64ThatIsNone(text: String) { #expect(Base64.decode(text) == nil) }

    @Test(arguments: ["0", "0g", "\u{00FC}0"])
    func refusesHexadecimalThatIsNone(text: String) { #expect(Hex.decode(text) == nil) }
}
