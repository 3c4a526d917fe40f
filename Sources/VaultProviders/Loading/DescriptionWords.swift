import VaultBase

// The smallest parts that ``DescriptionReader`` reads a description from.

extension DescriptionReader {
    func list(_ member: String, _ isGood: (String) -> Bool) throws(VaultError) -> [String] {
        let words = (raw[member] ?? "").split(separator: " ").map(String.init)
        guard words.count <= 128, words.allSatisfy(isGood) else { throw Self.fault(member) }
        return words
    }

    func number(_ member: String, _ range: ClosedRange<Int64>) throws(VaultError) -> Int64 {
        guard let number = Int64(raw[member] ?? "0"), range.contains(number) else { throw Self.fault(member) }
        return number
    }

    func choice<T>(_ member: String, _ choices: [T]) throws(VaultError) -> T {
        try Self.pick(raw[member] ?? "0", member, choices)
    }

    static func pick<T>(_ text: String, _ member: String, _ choices: [T]) throws(VaultError) -> T {
        guard let index = Int(text), choices.indices.contains(index) else {
            throw fault(member, "is none of its values")
        }
        return choices[index]
    }

    /// Every `{…}` is one that vault fills; `{connection.uuid}` where a login begins, and nowhere else.
    func places(_ text: String, _ member: String, _ out: ProviderDescription) throws(VaultError) {
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let close = rest[open...].firstIndex(of: "}")
            let name = close.map { String(rest[rest.index(after: open)..<$0]) } ?? ""
            guard let close,
                ["client_id", "redirect_uri"].contains(name)
                    || (name == "connection.uuid" && member == "authorize_parameters")
                    || (name.hasPrefix("user.") && out.userParameters.contains(String(name.dropFirst(5))))
            else {
                throw Self.fault(member, "names a place that is not client_id, redirect_uri or one of its settings")
            }
            rest = rest[rest.index(after: close)...]
        }
    }

    static func withoutPlaces(_ url: String) -> String {
        url.split(separator: "{", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 0 ? String(part) : "x" + part.drop { $0 != "}" }.dropFirst()
        }.joined()
    }

    static func isWord(_ text: String, _ limit: Int, _ others: String) -> Bool {
        (1...limit).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0)
                    || others.utf8.contains($0)
            }
    }

    static func fault(_ member: String, _ what: String = "is not as it must be") -> VaultError {
        VaultError(.plugin, "its \(member) \(what)", hint: RawDescription.authorHint)
    }
}
