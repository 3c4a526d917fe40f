import VaultBase
import VaultCrypto

extension RootKeySource {
    /// Asks for a passphrase, or fetches it from where `key.source` points.
    static func passphrase(
        _ reference: SecretReference?, environment: [String: String], words: String = "passphrase", isNew: Bool = false
    ) throws(VaultError) -> Secret {
        guard let reference else {
            let hint = "point at it for a service: key.source = \"passphrase:file:/run/secrets/vault\""
            return isNew
                ? try SecretPrompt.askTwice(words, hint: hint) : try SecretPrompt.ask(words, hint: hint)
        }
        let secret = try reference.fetch(words, environment: environment)
        if case .environment(let name) = reference { ProcessRules.forget(name) }
        return secret
    }

    static func recoveryKey(
        _ reference: SecretReference?, environment: [String: String]
    ) throws(VaultError) -> RecoveryKey {
        if let reference {
            let text = try reference.fetch("the recovery key", environment: environment)
            if case .environment(let name) = reference { ProcessRules.forget(name) }
            return try RecoveryKey(text)
        }
        guard Terminal.inputIsTerminal else { return try RecoveryKey(SecretPrompt.line("recovery key")) }
        return try RecoveryKey(
            SecretPrompt.ask("recovery key", hint: "write it to standard input"))
    }

    /// The key as one that a vault does not know yet.
    ///
    /// - Throws: what ``fetch(environment:logger:)`` throws; `bad-request` for a short passphrase.
    func newKey(environment: [String: String]) throws(VaultError) -> NewKey {
        switch kind {
        case .key:
            guard case .key(let key) = try fetch(environment: environment) else {
                throw VaultError(.internal, "a root key is a key")
            }
            return NewKey(rootKey: key)
        case .passphrase(let reference):
            return try NewKey(
                passphrase: Self.passphrase(
                    reference, environment: environment, words: "new passphrase", isNew: true))
        case .recovery:
            throw VaultError(
                .settings, "a recovery key is made by vault, not given to it",
                hint: "vault init prints one, and so does: vault key add recovery")
        }
    }
}
