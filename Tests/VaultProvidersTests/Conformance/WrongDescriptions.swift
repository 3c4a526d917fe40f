extension WrongPromise {
    /// A rule of `errors`, alone.
    private static func rule(_ members: String) -> String { ".errors = (const vault_error_v1[]){{\(members)}, {0}}," }
    private static func names(_ pairs: String) -> String { ".names = (const vault_pair_v1[]){\(pairs), {0}}," }
    private static func shape(_ members: String) -> String { ".shapes = (const vault_shape_v1[]){{\(members)}, {0}}," }
    private static func rules(_ all: String...) -> String {
        ".errors = (const vault_error_v1[]){\(all.joined()) {0}},"
    }
    private static let browser =
        ".flow = VAULT_FLOW_BROWSER_TOKEN, .refresh_rule = VAULT_REFRESH_NONE, .account = VAULT_ACCOUNT_MINTED,"
        + ".validate = \"https://wrong.example/v\", .validate_every = 3600,"
    static let revoke = ".revoke = \"https://wrong.example/r\","

    /// By what the description says.
    static let byDescription: [WrongPromise] = [
        WrongPromise("file.loads", "its id", "", entry: "return 0;"),
        WrongPromise(
            "file.constant", "another name in each process", "",
            before: "static vault_provider_v1 q; static char text[32];",
            entry:
                "q = p; for (int n = getpid(), i = 0; i < 8; i++, n /= 10) text[i] = '0' + n % 10; q.name = text; return &q;"
        ),
        WrongPromise(
            "description.callback", "a fragment",
            ".authorize_parameters = (const vault_pair_v1[]){{\"response_mode\", \"fragment\"}, {0}},"),
        WrongPromise(
            "description.callback", "a form that is not allowed",
            ".authorize_parameters = (const vault_pair_v1[]){{\"response_mode\", \"form_post\"}, {0}},"),
        WrongPromise(
            "description.usable", "a host that is no address",
            ".settings = \"base\", .hosts = \"wrong.example {user.base}\", .authorize = \"{user.base}/a\","),
        WrongPromise("description.validate", "no interval", ".validate = \"https://wrong.example/v\","),
        WrongPromise("description.validate", "no address", ".validate_every = 3600,"),
        WrongPromise("requests.exchange", "without the code", names("{\"token.code\", \"\"}")),
        WrongPromise("requests.exchange", "without the verifier", names("{\"code_verifier\", \"\"}")),
        WrongPromise(
            "requests.exchange", "without anything", shape(".stage = \"token\", .encoding = VAULT_ENCODING_NONE")),
        WrongPromise(
            "requests.exchange", "by nobody", shape(".stage = \"token\", .authentication = VAULT_AUTHENTICATION_NONE")),
        WrongPromise("requests.refresh", "without the token", names("{\"refresh_token\", \"\"}")),
        WrongPromise(
            "requests.profile", "without the token",
            shape(".stage = \"profile\", .authentication = VAULT_AUTHENTICATION_NONE")),
        WrongPromise("revocation.request", "without the token", revoke + ".revoke_token_parameter = \"\","),
        WrongPromise(
            "revocation.unknown", "a token that is gone is revoked for ever",
            revoke + rule(".failure = VAULT_RETRY, .status = 400, .path = \"error\", .equals = \"invalid_token\"")),
        WrongPromise("revocation.failed", "every 400 is done", revoke + ".revoke_statuses = \"200 400\","),
        WrongPromise("revocation.failed", "a limit is done", revoke + ".revoke_statuses = \"200 429\","),
        WrongPromise(
            "failures.dead-grant", "the registration is blamed",
            rule(".failure = VAULT_OPERATOR, .status = 400, .path = \"error\", .equals = \"invalid_grant\"")),
        WrongPromise(
            "failures.registration", "a dead grant",
            rule(".failure = VAULT_RECONNECT, .path = \"error\", .contains = \"_client\"")),
        WrongPromise(
            "failures.rate-limit", "a dead grant",
            rule(".failure = VAULT_RECONNECT, .status = 429, .contains = \"{\"")),
        WrongPromise(
            "failures.outage", "a dead grant",
            rule(".failure = VAULT_RECONNECT, .status = 503, .path = \"error\", .equals = \"invalid_grant\"")),
        WrongPromise("failures.outage", "ours", rule(".failure = VAULT_OPERATOR, .status = 502, .equals = \"\"")),
        WrongPromise(
            "failures.page", "a blocked request ends the grant",
            rule(".failure = VAULT_RECONNECT, .status = 403, .contains = \"blocked\"")),
        WrongPromise(
            "failures.truncated", "half an answer ends the grant",
            rule(".failure = VAULT_RECONNECT, .status = 200, .contains = \"{\\\"access_token\"")),
        WrongPromise("answers.exchange", "two at one path", ".refresh_token = \"access_token\","),
        WrongPromise("answers.refresh", "another member's path", ".refresh_token = \"refresh_token|token_type\","),
        WrongPromise("answers.scope", "another member's path", ".scope = \"token_type\","),
        WrongPromise(
            "examples.meaning", "an example that is another",
            ".more = (const vault_pair_v1[]){{\"example.refresh.reconnect\", \"{\\\"error\\\":\\\"server_error\\\"}\"}, {0}},"
        ),
        WrongPromise(
            "requests.validate", "a browser's token that is not shown",
            browser
                + shape(
                    ".stage = \"validate\", .authentication = VAULT_AUTHENTICATION_NONE")),
        WrongPromise(
            "failures.dead-grant", "a browser's token that never dies",
            browser
                + rules(
                    "{.failure = VAULT_OPERATOR, .status = 401, .equals = \"\"},",
                    "{.failure = VAULT_OPERATOR, .status = 401, .equals = \"{}\"},")),
        WrongPromise(
            "failures.outage", "a browser's token that dies of an outage",
            browser + rule(".failure = VAULT_RECONNECT, .status = 502, .equals = \"\"")),
        WrongPromise(
            "requests.secret", "the client's own secret in a URL",
            ".flow = VAULT_FLOW_CLIENT_CREDENTIALS, .client = VAULT_CLIENT_POST, .refresh_rule = VAULT_REFRESH_NONE,"
                + ".account = VAULT_ACCOUNT_MINTED," + shape(".stage = \"token\", .encoding = VAULT_ENCODING_QUERY")),
    ]
}
