import Foundation

extension WrongPromise {
    private static func prepare(_ body: String) -> String {
        "static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {"
            + "(void)call; (void)message; \(body) return VAULT_DONE; }"
    }
    private static func parse(_ body: String) -> String {
        prepare(body).replacingOccurrences(of: " prepare(", with: " parse(")
    }

    /// By what a hook does.
    static let byHook: [WrongPromise] = [
        WrongPromise(
            "revocation.done", "a parser that refuses the answer", revoke + ".parse = parse,",
            before: parse("if (call->stage == VAULT_REVOKE && message->status == 200) return VAULT_REFUSED;")),
        WrongPromise(
            "answers.account", "ids as floating point", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"id\\":9007199254740992}";
                if (call->stage != VAULT_PROFILE || !message->body) return VAULT_DONE;
                if (!memmem(message->body, message->body_size, "9007199254740993", 16)) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
        WrongPromise(
            "answers.expires-in", "minutes for seconds", ".parse = parse,",
            before: parse(
                """
                char *body = call->allocate(call, message->body_size + 1), *at;
                if (!message->body_size || !body) return VAULT_DONE;
                memcpy(body, message->body, message->body_size);
                if (!(at = memmem(body, message->body_size, "\\"expires_in\\":3600", 17))) return VAULT_DONE;
                memcpy(at + 13, "  60", 4);
                message->body = (const uint8_t *)body;
                """)),
        WrongPromise(
            "failures.lost-code", "a code that is refused is tried again", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"error\\":\\"temporarily_unavailable\\"}";
                if (call->stage != VAULT_EXCHANGE || message->status != 400 || !message->body) return VAULT_DONE;
                if (!memmem(message->body, message->body_size, "invalid_grant", 13)) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
        WrongPromise(
            "examples.meaning", "a parser that loses the token",
            ".parse = parse, .more = (const vault_pair_v1[]){{\"example.exchange.tokens\", \"<key>k</key>\"}, {0}},",
            before: parse("")),
        WrongPromise(
            "examples.truncated", "half an answer ends the grant",
            """
            .parse = parse, .more = (const vault_pair_v1[]){{"example.refresh.tokens", "<ok/><key>k</key>"}, {0}},
            .errors = (const vault_error_v1[]){{.failure = VAULT_RECONNECT, .path = "half", .equals = "1"}, {0}},
            """,
            before: parse(
                """
                static const char whole[] = "{\\"access_token\\":\\"k\\"}", half[] = "{\\"half\\":\\"1\\"}";
                if (message->body_size < 5 || memcmp(message->body, "<ok/>", 5)) return VAULT_DONE;
                const char *body = memmem(message->body, message->body_size, "</key>", 6) ? whole : half;
                message->body = (const uint8_t *)body; message->body_size = strlen(body);
                """)),
        WrongPromise(
            "hooks.survive", "aborts at a profile", ".prepare = prepare,",
            before: prepare("if (call->stage == VAULT_PROFILE) abort();")),
        WrongPromise(
            "hooks.survive", "reads an empty body", ".parse = parse,",
            before: parse("if (!message->body_size) *(volatile char *)0 = 0;")),
        WrongPromise(
            "hooks.serve", "refuses a refresh", ".prepare = prepare,",
            before: prepare("if (call->stage == VAULT_REFRESH) return VAULT_REFUSED;")),
        WrongPromise(
            "hooks.deterministic", "counts its calls", ".prepare = prepare,",
            before: "static char text[] = \"0\";"
                + prepare(
                    """
                    if (call->stage == VAULT_AUTHORIZE) return VAULT_DONE;
                    text[0] = text[0] == '9' ? '0' : text[0] + 1;
                    vault_pair_v1 *h = call->allocate(call, 32 * sizeof *h);
                    size_t n = 0; for (; message->headers[n].name; n++) h[n] = message->headers[n];
                    h[n].name = "X-Count"; h[n].value = text; message->headers = h;
                    """)),
        WrongPromise(
            "hooks.deterministic", "asks another clock", ".prepare = prepare,",
            before: "#include <time.h>\n#include <stdio.h>\n"
                + prepare(
                    """
                    if (call->stage == VAULT_AUTHORIZE) return VAULT_DONE;
                    char *text = call->allocate(call, 64);
                    static long long first; if (!first) first = (long long)time(0);
                    snprintf(text, 64, "%lld", first);
                    vault_pair_v1 *h = call->allocate(call, 32 * sizeof *h);
                    size_t n = 0; for (; message->headers[n].name; n++) h[n] = message->headers[n];
                    h[n].name = "X-Time"; h[n].value = text; message->headers = h;
                    """)),
        WrongPromise(
            "requests.authorize", "another state", ".prepare = prepare,",
            before: prepare(
                """
                if (call->stage != VAULT_AUTHORIZE) return VAULT_DONE;
                message->url = "https://wrong.example/a?state=mine&redirect_uri=https://evil.example";
                """)),
        WrongPromise(
            "requests.authorize", "the secret for the browser", ".flags = VAULT_HOOK_NEEDS_SECRET, .prepare = prepare,",
            before: "#include <stdio.h>\n"
                + prepare(
                    """
                    if (call->stage != VAULT_AUTHORIZE) return VAULT_DONE;
                    char *url = call->allocate(call, 4096);
                    snprintf(url, 4096, "%s&key=%s", message->url, call->client_secret);
                    message->url = url;
                    """)),
        WrongPromise(
            "requests.exchange", "a foreign host", ".prepare = prepare,",
            before: prepare("if (call->stage == VAULT_EXCHANGE) message->url = \"https://evil.example/\";")),
        WrongPromise(
            "requests.refresh", "a second header in one", ".prepare = prepare,",
            before: prepare(
                """
                static const vault_pair_v1 h[] = {{"X-A", "1\\r\\nHost: evil.example"}, {0}};
                if (call->stage == VAULT_REFRESH) message->headers = h;
                """)),
        WrongPromise(
            "requests.profile", "drops the token", ".prepare = prepare,",
            before: prepare(
                """
                static const vault_pair_v1 h[] = {{"Accept", "*/*"}, {0}};
                if (call->stage == VAULT_PROFILE) message->headers = h;
                """)),
        WrongPromise(
            "answers.no-account", "everybody is one account", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"id\\":\\"account-1\\"}";
                if (call->stage != VAULT_PROFILE || message->body_size < 3) return VAULT_DONE;
                if (strstr((const char *)message->body, "9007")) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
        WrongPromise(
            "failures.error-in-200", "makes tokens of errors", ".parse = parse,",
            before: parse(
                """
                static const char body[] = "{\\"access_token\\":\\"x\\"}";
                if (message->status != 200 || !memmem(message->body, message->body_size, "\\"error\\"", 7)) return VAULT_DONE;
                message->body = (const uint8_t *)body; message->body_size = sizeof body - 1;
                """)),
    ]
}
