import Testing
import VaultBase
@testable import VaultProviders

@Suite struct ParserTests {
    @Test(arguments: [
        "", " ", "{", "{\"a\":1", "{\"a\":1}x", "{'a':1}", "{\"a\" 1}", "[1,]", "{\"a\":1,}", "01", "1.", ".5", "1e",
        "+1",
        "nul", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"a\nb\"", "\"", "NaN", "{\"a\":}", "{1:2}", "1 2",
    ])
    func refusesWhatIsNoJSON(_ text: String) { #expect(JSONValue(Array(text.utf8)) == nil) }

    @Test func refusesInvalidUTF8() { #expect(JSONValue([0x22, 0xFF, 0x22]) == nil) }

    @Test func readsAllOfJSON() {
        let text = #" {"a":[1,-2.5e+3,true,false,null],"b":{"c":"é\u00e9\ud83c\udfb5\n\/"}} "#
        let value = JSONValue(Array(text.utf8))
        #expect(value?.at(["a"]) == .array([.number("1"), .number("-2.5e+3"), .bool(true), .bool(false), .null]))
        #expect(value?.at(["b", "c"]) == .string("éé🎵\n/"))
        #expect(value?.at(["a", "1"]) == .number("-2.5e+3"))
        #expect(value?.at(["a", "9"]) == nil)
    }

    @Test func ofARepeatedKeyTheLastHolds() {
        #expect(JSONValue(Array(#"{"a":1,"a":2,"a":3}"#.utf8))?.at(["a"]) == .number("3"))
    }

    @Test func nestsToItsLimitAndNoDeeper() {
        func nested(_ depth: Int) -> [UInt8] {
            Array(String(repeating: "[", count: depth).utf8) + Array(String(repeating: "]", count: depth).utf8)
        }
        #expect(JSONValue(nested(JSONValue.depthLimit)) != nil)
        #expect(JSONValue(nested(JSONValue.depthLimit + 2)) == nil)
        #expect(JSONValue(nested(500_000)) == nil)
    }

    @Test func refusesATextOverTheLimit() {
        #expect(JSONValue([0x22] + Array(repeating: 0x61, count: JSONValue.sizeLimit) + [0x22]) == nil)
    }

    @Test func takesTheFirstAlternativeThatIsThere() {
        let value = JSONValue(Array(#"{"account_id":null,"id":"x"}"#.utf8))
        #expect(value?.at(["account_id|id"])?.text == "x")
    }

    @Test(arguments: [
        (#""x""#, "x"), (#""""#, nil), ("123456789012345678901", "123456789012345678901"), ("1.5", nil), ("1e3", nil),
        ("true", nil), ("null", nil),
    ])
    func namesAccountsExactly(_ json: String, _ text: String?) { #expect(JSONValue(Array(json.utf8))?.text == text) }

    @Test func encodesStringsThatReadBack() {
        let bytes = JSONValue.encode([("a", "\"\\\n\u{1}é"), ("b", "")])
        #expect(JSONValue(bytes)?.at(["a"]) == .string("\"\\\n\u{1}é"))
        #expect(JSONValue(bytes)?.at(["b"]) == .string(""))
    }

    /// Damaged answers end in a value or in nil, never in a crash.
    @Test func survivesAnyBytes() {
        let sound = Array(#"{"access_token":"\u00e9\ud83c\udfb5","n":[-1.5e+3,null,true],"o":{"a":"b%2"}}&x=%zz"#.utf8)
        for round in 0..<20000 {
            var bytes = sound
            for _ in 0...(round % 4) {
                let index = Int.random(in: bytes.indices)
                switch round % 3 {
                case 0: bytes[index] = .random(in: .min ... .max)
                case 1: bytes.removeSubrange(index...)
                default: bytes.insert(contentsOf: bytes[..<index], at: index)
                }
                if bytes.isEmpty { break }
            }
            _ = JSONValue(bytes)
            _ = FormText.decode(String(decoding: bytes, as: UTF8.self))
            _ = WebAddress(String(decoding: bytes, as: UTF8.self))
            _ = AnswerBody(ProviderAnswer(status: 200, headers: [], body: bytes)).errorCode
        }
    }

    @Test func formsReadBack() throws {
        let pairs = [("a b", "1+2&3=4"), ("é", "%"), ("empty", "")]
        let text = FormText.encode(pairs)
        #expect(text == "a+b=1%2B2%263%3D4&%C3%A9=%25&empty=")
        let back = try #require(FormText.decode(text))
        #expect(back.map(\.name) == pairs.map(\.0))
        #expect(back.map(\.value) == pairs.map(\.1))
        #expect(FormText.decode("a=%ff") == nil)
        #expect(FormText.decode("a=%zz&b&&c=1")?.map(\.value) == ["%zz", "", "1"])
    }

    @Test(arguments: [
        "http:/x", "ftp://x/", "https://", "https:///x", "https://u@x/", "https://x:0/", "https://x:70000/",
        "https://x:a/",
        "https://x/#f", "https://x\\@y/", "https://x y/", "https://é/", "https://[::1", "https://[::1]x/",
        "https://x/\u{7}",
        "//x/", "https://.x/", "javascript:alert(1)", "https://x:1:2/", "https://[gg::]/",
    ])
    func refusesURLsThatTwoReadersMayDiffer(_ url: String) { #expect(WebAddress(url) == nil) }

    @Test(arguments: [
        ("http://127.0.0.1:80/x", true), ("http://127.9.8.7/", true), ("http://[::1]:1/", true),
        ("http://localhost/", false),
        ("http://127.0.0.1.example/", false), ("http://127.1/", false), ("http://127.0.0.01/", false),
        ("http://[::2]/", false),
        ("http://128.0.0.1/", false), ("http://127.0.0.256/", false),
    ])
    func knowsLoopbackByItsLiteral(_ url: String, _ expected: Bool) throws {
        #expect(try #require(WebAddress(url)).isLoopbackLiteral == expected)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
        ] as [(String, Int64)])
    func readsTheThreeFormsOfADate(_ text: String, _ seconds: Int64) {
        let answer = ProviderAnswer(
            status: 503, headers: [("Retry-After", text), ("Date", text)], body: [])
        #expect(FlowEngine.retryAfter(answer, now: nil) == .zero)
        #expect(HTTPDate.parse(text)?.seconds == seconds)
    }
}
