import VaultBase

// The names in `more` that this vault knows. What it does not know it ignores: a plugin for a later vault still loads.

extension DescriptionReader {
    func more(_ out: inout ProviderDescription) throws(VaultError) {
        var rule = ProviderDescription.ClientTokenRule(keyID: "")
        var algorithm: String?
        for (name, value) in groups["more"] ?? [] {
            switch name {
            case "jwt.algorithm": algorithm = value
            case "jwt.key_id":
                try places(value, name, out)
                rule.keyID = value
            case "jwt.issuer":
                try places(value, name, out)
                rule.issuer = value
            case "jwt.lifetime":
                guard let seconds = Int64(value), Self.tokenLifetimes.contains(seconds) else {
                    throw Self.fault(name, "is not 60 to 15777000 seconds")
                }
                rule.lifetime = seconds
            case "revoke.gone":
                guard !value.isEmpty else { throw Self.fault(name, "is empty") }
                out.revocation.gone = value
            default:
                guard name.hasPrefix("example.") else { continue }
                out.examples.append(try example(name, value))
            }
        }
        guard let algorithm else { return }
        guard algorithm == "ES256" else { throw Self.fault("jwt.algorithm", "is not ES256") }
        guard !rule.keyID.isEmpty, !rule.issuer.isEmpty else { throw Self.fault("jwt.key_id", "is missing") }
        out.clientToken = rule
    }

    /// Six months at the most: what Apple takes.
    private static let tokenLifetimes: ClosedRange<Int64> = 60...15_777_000

    /// `example.STAGE.MEANING`, or `example.STAGE.MEANING.STATUS`, and perhaps a word behind it that tells two apart.
    private func example(_ name: String, _ body: String) throws(VaultError) -> ProviderDescription.Example {
        let words = name.split(separator: ".", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard (2...4).contains(words.count), let stage = FlowEngine.Stage(rawValue: words[0]), stage != .authorize,
            let meaning = Self.meaning(words[1], stage)
        else { throw Self.fault(name, "is no example.STAGE.MEANING.STATUS that there can be") }
        let usual = if case .failure = meaning { 400 } else { 200 }
        guard let status = words.count > 2 ? Int(words[2]) : usual, (200..<600).contains(status) else {
            throw Self.fault(name, "has no status of an answer")
        }
        return ProviderDescription.Example(stage: stage, meaning: meaning, status: status, body: body)
    }

    private static func meaning(_ word: String, _ stage: FlowEngine.Stage) -> ProviderDescription.Example.Meaning? {
        switch (word, stage) {
        case ("tokens", .exchange), ("tokens", .refresh): .tokens
        case ("account", .profile): .account
        case ("valid", .validate), ("valid", .revoke): .valid
        case ("reconnect", _): .failure(.reconnect)
        case ("restart-login", _): .failure(.restartLogin)
        case ("retry", _): .failure(.retry)
        case ("operator", _): .failure(.operatorAction)
        default: nil
        }
    }
}
