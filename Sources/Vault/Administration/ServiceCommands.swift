import VaultRecords

extension LocalAdministration {
    func listServices(_ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void) async throws {
        var damaged: [String] = []
        let keys = try vault.records.read { try $0.serviceKeys { damaged.append($0) } }
        for key in keys { try await event(.service(ServiceDocument(key))) }
        for id in damaged {
            let shown = "\(ServiceKeyText.lead)\(id)…"
            try await event(.notice("\(shown) does not open, and opens nothing: vault service revoke \(id)"))
        }
    }
}
