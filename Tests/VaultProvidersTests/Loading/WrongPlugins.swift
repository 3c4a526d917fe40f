extension BadPlugin {
    /// Those that are only wrong.
    static let wrong: [BadPlugin] = [
        BadPlugin(name: "no symbol", text: "int something_else;", says: "vault_plugin_v1"),
        BadPlugin(
            name: "other version",
            text:
                "static const vault_provider_v1 p = {.abi = 2}; const vault_provider_v1 *vault_plugin_v1(void) { return &p; }",
            says: "version 2"),
        BadPlugin(
            name: "refuses", text: "const vault_provider_v1 *vault_plugin_v1(void) { return 0; }", says: "refuses"),
        BadPlugin(
            name: "missing function",
            text: Workshop.plugin("x", before: "void nowhere(void);", entry: "nowhere(); return &p;"),
            says: "cannot be loaded"),
        BadPlugin(name: "bad id", text: Workshop.plugin("Bad Id"), says: "its id"),
        BadPlugin(
            name: "plain http", text: Workshop.plugin("x", ".revoke = \"http://x.example/r\","), says: "its revoke"),
        BadPlugin(name: "other host", text: Workshop.plugin("x", ".hosts = \"y.example\","), says: "its hosts"),
        BadPlugin(
            name: "not UTF-8", text: Workshop.plugin("x", ".display_name = \"\\xff\\xfe\","), says: "its display_name"),
        BadPlugin(
            name: "control characters", text: Workshop.plugin("x", ".api_prefix = \"Bearer\\r\\nHost: y\","),
            says: "its api_prefix"),
        BadPlugin(
            name: "unending array",
            text: Workshop.plugin(
                "x", ".names = many,",
                before: "static const vault_pair_v1 many[80] = {[0 ... 79] = {\"scope\", \"s\"}};"), says: "64 elements"
        ),
        BadPlugin(
            name: "unending text",
            text: Workshop.plugin(
                "x", ".scopes = text,", before: "static const char text[8000] = {[0 ... 7998] = 'a'};"),
            says: "its scopes"),
        BadPlugin(
            name: "fixed state",
            text: Workshop.plugin("x", ".authorize_parameters = (const vault_pair_v1[]){{\"state\", \"1\"}, {0}},"),
            says: "authorize_parameters"),
        BadPlugin(
            name: "no state", text: Workshop.plugin("x", ".names = (const vault_pair_v1[]){{\"state\", \"\"}, {0}},"),
            says: "leaves out state"),
        BadPlugin(
            name: "no challenge",
            text: Workshop.plugin("x", ".names = (const vault_pair_v1[]){{\"authorize.code_challenge\", \"\"}, {0}},"),
            says: "leaves out code_challenge"),
        BadPlugin(
            name: "swapped",
            text: Workshop.plugin("x", ".names = (const vault_pair_v1[]){{\"state\", \"nonce\"}, {0}},"),
            says: "nonce to two"),
        BadPlugin(
            name: "own Host header",
            text: Workshop.plugin("x", ".api_headers = (const vault_pair_v1[]){{\"Host\", \"y\"}, {0}},"),
            says: "api_headers"),
        BadPlugin(
            name: "unknown place", text: Workshop.plugin("x", ".revoke = \"https://x.example/{client_secret}\","),
            says: "its revoke"),
        BadPlugin(
            name: "unknown stage",
            text: Workshop.plugin("x", ".shapes = (const vault_shape_v1[]){{.stage = \"login\"}, {0}},"),
            says: "its shapes"),
        BadPlugin(
            name: "unknown encoding",
            text: Workshop.plugin("x", ".shapes = (const vault_shape_v1[]){{.stage = \"token\", .encoding = 9}, {0}},"),
            says: "its encoding"),
        BadPlugin(name: "unknown choice", text: Workshop.plugin("x", ".pkce = 7,"), says: "its pkce"),
        BadPlugin(name: "unknown flag", text: Workshop.plugin("x", ".flags = 1024,"), says: "its flags"),
        BadPlugin(name: "negative time", text: Workshop.plugin("x", ".idle_lifetime = -1,"), says: "its idle_lifetime"),
        BadPlugin(
            name: "rule that always matches",
            text: Workshop.plugin(
                "x", ".errors = (const vault_error_v1[]){{.failure = VAULT_RECONNECT, .contains = \"\"}, {0}},"),
            says: "its errors"),
        BadPlugin(
            name: "no profile",
            text:
                "static const vault_provider_v1 p = {.abi = VAULT_ABI_V1, .id = \"x\", .name = \"X\", .issuer = \"https://x.example\", .authorize = \"https://x.example/a\", .token = \"https://x.example/t\"}; const vault_provider_v1 *vault_plugin_v1(void) { return &p; }",
            says: "its profile"),
        BadPlugin(name: "no such flow", text: Workshop.plugin("x", ".flow = 3,"), says: "its flow"),
        BadPlugin(
            name: "a browser's token nobody is asked about",
            text: Workshop.plugin("x", ".flow = VAULT_FLOW_BROWSER_TOKEN, .refresh_rule = VAULT_REFRESH_NONE,"),
            says: "its validate"),
        BadPlugin(
            name: "a browser's refresh token",
            text: Workshop.plugin("x", ".flow = VAULT_FLOW_BROWSER_TOKEN, .validate = \"https://x.example/v\","),
            says: "its refresh_rule"),
        BadPlugin(
            name: "a client without a secret",
            text: Workshop.plugin(
                "x",
                ".flow = VAULT_FLOW_CLIENT_CREDENTIALS, .client = VAULT_CLIENT_NONE, .refresh_rule = VAULT_REFRESH_NONE,"
            ),
            says: "its client"),
        BadPlugin(
            name: "somebody's account for the client's own tokens",
            text: Workshop.plugin(
                "x", ".flow = VAULT_FLOW_CLIENT_CREDENTIALS, .refresh_rule = VAULT_REFRESH_NONE,"),
            says: "its account"),
        BadPlugin(
            name: "a private key that is sent",
            text: Workshop.plugin(
                "x", ".more = (const vault_pair_v1[]){{\"jwt.algorithm\", \"ES256\"}, {\"jwt.key_id\", \"k\"}, {0}},"),
            says: "its client"),
        BadPlugin(
            name: "another algorithm",
            text: Workshop.plugin("x", ".more = (const vault_pair_v1[]){{\"jwt.algorithm\", \"none\"}, {0}},"),
            says: "its jwt.algorithm"),
        BadPlugin(
            name: "a JWT for a year",
            text: Workshop.plugin("x", ".more = (const vault_pair_v1[]){{\"jwt.lifetime\", \"31536000\"}, {0}},"),
            says: "its jwt.lifetime"),
        BadPlugin(
            name: "an example of nothing",
            text: Workshop.plugin("x", ".more = (const vault_pair_v1[]){{\"example.exchange.account\", \"{}\"}, {0}},"),
            says: "its example.exchange.account"),
    ]
}
