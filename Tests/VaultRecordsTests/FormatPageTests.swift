import TestFolders
import Testing
import VaultStore

/// The page `Documentation.docc/Format` is a promise: what the code names, it names.
@Suite struct FormatPageTests {
    private static let root = String(#filePath.prefix(upTo: #filePath.range("/Tests/VaultRecordsTests")))
    private let page: String

    init() throws {
        page = String(
            decoding: try Folder.read(Self.root + "/Sources/Vault/Documentation.docc/Format.md"), as: UTF8.self)
    }

    @Test(arguments: Table.allCases.filter { $0 != .audit }) func namesEveryTable(table: Table) {
        #expect(page.contains("| `\(table.rawValue)` |"))
    }

    @Test func namesEveryPurposeOfAKey() throws {
        var purposes: Set<String> = []
        for folder in ["VaultCrypto", "VaultRecords/Access", "VaultRecords/Sealing", "VaultRecords/Backup"] {
            let path = Self.root + "/Sources/" + folder
            for file in TestFolder.names(in: path) where file.hasSuffix(".swift") {
                let text = String(decoding: try Folder.read(path + "/" + file), as: UTF8.self)
                for part in text.split(separator: "Purpose(\"").dropFirst() {
                    purposes.insert(String(part.prefix { $0 != "\"" }))
                }
            }
        }
        #expect(purposes.count >= 15)
        for purpose in purposes.sorted() { #expect(page.contains(purpose), "\(purpose)") }
    }

    @Test(arguments: [298, 468, 638, 978, 1318, 1998, 4080, 8176, 12272, 16368, 16_303])
    func namesEverySize(size: Int) {
        let text = "\(size)"
        #expect(page.contains(text) || page.contains("\(text.prefix(2)) \(text.suffix(3))"))
    }
}

extension String {
    fileprivate func range(_ needle: String) -> Index {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(needle) { return index }
            index = self.index(after: index)
        }
        return endIndex
    }
}
