/// What a 64-bit little-endian ELF file exports and needs, read without running any of it; believes no offset.
struct PluginBinary {
    private(set) var exports: [String] = []
    private(set) var needs: [String] = []

    private struct Section {
        var type, link: Int
        var offset, size: Int
    }

    /// nil for anything else than such a file with section headers.
    init?(_ bytes: [UInt8]) {
        func number(_ offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - size else { return nil }
            let value = (0..<size).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
            return Int(exactly: value)
        }
        func text(_ table: Section, _ offset: Int) -> String? {
            guard offset >= 0, offset < table.size, table.offset <= bytes.count - table.size else { return nil }
            let rest = bytes[(table.offset + offset)..<(table.offset + table.size)]
            return String(decoding: rest.prefix { $0 != 0 }.prefix(256), as: UTF8.self)
        }

        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), let start = number(0x28, 8),
            let count = number(0x3C, 2)
        else { return nil }
        var sections: [Section] = []
        for index in 0..<count {
            guard start <= bytes.count else { return nil }
            let at = start + 64 * index
            guard let type = number(at + 4, 4), let link = number(at + 40, 4), let offset = number(at + 24, 8),
                let size = number(at + 32, 8), size <= bytes.count
            else { return nil }
            sections.append(Section(type: type, link: link, offset: offset, size: size))
        }
        let (dynamic, symbols) = (6, 11)
        guard let table = sections.first(where: { $0.type == symbols }), sections.indices.contains(table.link) else {
            return nil
        }
        for at in stride(from: table.offset, to: table.offset + table.size, by: 24) {
            guard let name = number(at, 4), let info = number(at + 4, 1), let home = number(at + 6, 2) else {
                return nil
            }
            // Defined here, global or weak, and no absolute value: those are names of versions.
            if home != 0, home != 0xFFF1, info >> 4 == 1 || info >> 4 == 2, let text = text(sections[table.link], name)
            {
                exports.append(text)
            }
        }
        for section in sections where section.type == dynamic && sections.indices.contains(section.link) {
            for at in stride(from: section.offset, to: section.offset + section.size, by: 16) {
                if number(at, 8) == 1, let name = number(at + 8, 8), let text = text(sections[section.link], name) {
                    needs.append(text)
                }
            }
        }
    }
}
