extension PrometheusMetrics {
    /// What the vault's own metrics mean, by the names they are recorded under.
    public static let helpOfTheVault: [String: String] = [
        "vault_http_requests": "Requests answered, by route and status.",
        "vault_http_request_duration": "How long requests took, in seconds.",
        "vault_http_active_requests": "Requests being answered now.",
        "vault_http_connections": "Connections open now.",
        "vault_http_connections_refused": "Connections refused: all were taken, or those of one address.",
        "vault_http_connections_slow": "Connections and streams ended because the client was too slow.",
        "vault_tls_certificate_end": "When the TLS certificate ends, in seconds since 1970.",
        "vault_token_reads_total": "Access tokens asked for.",
        "vault_session_checks_total": "Sessions checked; refused ones are over, revoked or forged.",
        "vault_logins_total": "Logins begun, connected, or failed by their code.",
        "vault_exchanges_total": "Codes redeemed at platforms.",
        "vault_refreshes_total": "Refresh tokens redeemed at platforms.",
        "vault_disconnects_total": "Connections ended, by what the platform said to the revocation.",
        "vault_provider_seconds": "How long platforms took to answer, in seconds.",
        "vault_swept_total": "What the sweeper removed.",
        "vault_refreshes_in_flight": "Redemptions under way.",
        "vault_refreshes_unsaved": "New tokens the store has not taken yet: should be 0.",
        "vault_refreshes_backing_off": "Connections that wait after a failure.",
        "vault_store_keys": "Keys in each table of the store.",
        "vault_store_used_bytes": "Room in use, in bytes.",
        "vault_store_file_bytes": "Size of the data file, in bytes.",
        "vault_store_quota_bytes": "Room there may be, in bytes.",
        "vault_store_commits": "Commits since the store was opened.",
        "vault_store_operations": "Operations in them.",
    ]
}
