// Made by Plugins/embed.sh. Change the files it copies, not this one.

/// The files of a plugin project that are the same in all of them.
enum EmbeddedFiles {
    static let header = ##"""
        /* vault_plugin.h - how a provider's plugin speaks to vault, version 1.
         *
         * A plugin is a shared library (acme.so) that exports one function:
         *
         *     VAULT_PLUGIN const vault_provider_v1 *vault_plugin_v1(void) { return &acme; }
         *
         * What it returns is data: how one OAuth 2.1 provider behaves. vault does all HTTP, time, storage and secrets.
         * Everything that is left out (zero, NULL) is plain OAuth 2.1, so a clean provider sets an id, a name, an issuer,
         * its endpoints and where the account id stands. Two pure functions can be added for what no data expresses.
         *
         * Threads    vault_plugin_v1 is called once, before anything else. Hooks are called one at a time.
         * Ownership  All that the plugin hands out belongs to it and stays as it is until the process ends: constants.
         *            A plugin is never unloaded. What vault hands to a hook is valid until that hook returns.
         * Text       UTF-8 without control characters, ended by NUL, at most 4095 bytes. A list is text with spaces between.
         * Arrays     End with an element whose first member is NULL (pairs, shapes) or 0 (errors); at most 64 elements.
         * Paths      Members of a JSON answer from the outside in, with slashes: "data/0/id". A step may name
         *            alternatives, "account_id|id": the first that is there counts.
         * Places     In URLs, parameters and headers {client_id}, {redirect_uri} and {user.NAME} stand for settings of
         *            the platform; NAME must be listed in `settings`. In authorize_parameters {connection.uuid} is a UUID
         *            of its own for every consent.
         * Growth     These structs never change: what comes later travels as pairs in `more`, or under a new symbol.
         *            Names in `more` that a vault does not know are ignored.
         * Isolation  By default this code runs in a process without network, files, threads and children, and with
         *            limits. Print nothing, open nothing, start nothing. A plugin that fails costs its platform alone.
         *
         * C11 or C++17:  cc -O2 -shared -fPIC -fvisibility=hidden -I. acme.c -o acme.so
         */
        #ifndef VAULT_PLUGIN_H
        #define VAULT_PLUGIN_H

        #include <stddef.h>
        #include <stdint.h>

        #ifdef __cplusplus
        extern "C" {
        #define VAULT_ASSERT(condition, text) static_assert(condition, text)
        #else
        #define VAULT_ASSERT(condition, text) _Static_assert(condition, text)
        #endif
        #define VAULT_PLUGIN __attribute__((visibility("default")))

        /* What `abi` of a provider says. */
        #define VAULT_ABI_V1 1u

        /* One name with its value. An array of them ends with {NULL, NULL}. */
        typedef struct vault_pair_v1 {
            const char *name;
            const char *value;
        } vault_pair_v1;

        /* How one stage's request differs from the usual one. An array of them ends with a NULL stage. */
        typedef struct vault_shape_v1 {
            const char *stage;            /* "token", "refresh", "revoke", "profile" or "validate" */
            const char *method;           /* NULL: POST, for profile and validate GET */
            uint32_t encoding;            /* vault_encoding; where the parameters go */
            uint32_t authentication;      /* vault_authentication; who is asking */
            const vault_pair_v1 *headers; /* NULL: none more */
        } vault_shape_v1;

        /* What an answer means when the standard's own codes do not say it; the first rule that matches holds.
         * An array of them ends with a failure of 0. */
        typedef struct vault_error_v1 {
            uint32_t failure;     /* vault_failure */
            uint32_t status;      /* 0: any, except those that are temporary by themselves: 408, 425, 429, 5xx */
            const char *path;     /* NULL: the whole body as text */
            const char *equals;   /* matches this text... */
            const char *contains; /* ...or a text with this in it; exactly one of the two is set */
        } vault_error_v1;

        /* What vault hands to a hook; all of it vault's, valid until the hook returns. */
        typedef struct vault_call_v1 {
            uint32_t stage;                /* vault_stage */
            uint32_t reserved;             /* 0 */
            int64_t now;                   /* seconds since 1970; use no other clock */
            const char *client_id;
            const char *client_secret;     /* NULL unless flags has VAULT_HOOK_NEEDS_SECRET */
            const char *scope;             /* space separated, "" for none */
            const vault_pair_v1 *settings; /* what `settings` of the provider lists and the operator has set */
            const vault_pair_v1 *more;     /* for what comes later; never NULL */
            /* Memory for what the hook returns, at most 64 KiB in all for one call; freed by vault after the call, never by
             * the plugin. Zeroed. NULL when there is no more. Only from inside the hook, on its thread. */
            void *(*allocate)(const struct vault_call_v1 *call, size_t size);
            void *host;                    /* vault's own */
        } vault_call_v1;

        /* A request before it is sent (prepare) or an answer before it is read (parse): filled when the hook is called. A
         * hook changes it by setting members to constants or to what it got from `allocate`; never through the pointers. */
        typedef struct vault_message_v1 {
            const char *method;           /* prepare: "GET", "POST", "PUT" or "DELETE"; parse: "" */
            const char *url;              /* prepare: https, to a host of the provider; parse: "" */
            const vault_pair_v1 *headers; /* parse: changes are ignored */
            const uint8_t *body;          /* not ended by NUL */
            size_t body_size;             /* at most 64 KiB for prepare, 1 MiB for parse */
            uint32_t status;              /* parse: 100 to 599; prepare: 0. A failed answer cannot be made a good one */
            uint32_t reserved;            /* 0 */
        } vault_message_v1;

        /* A hook: a pure function. No input but its arguments, no output but the message; the same arguments give the same
         * bytes. Returns VAULT_DONE, or VAULT_REFUSED when it cannot. It has one second.
         * vault checks the result again: addresses, headers, sizes, and that state, redirect_uri, PKCE and nonce are
         * untouched. */
        typedef int32_t (*vault_hook_v1)(const vault_call_v1 *call, vault_message_v1 *message);

        enum vault_answer { VAULT_DONE = 0, VAULT_REFUSED = 1 };
        enum vault_stage {
            VAULT_AUTHORIZE = 1, VAULT_EXCHANGE = 2, VAULT_REFRESH = 3, VAULT_REVOKE = 4, VAULT_PROFILE = 5, VAULT_VALIDATE = 6
        };
        enum vault_failure {
            VAULT_RECONNECT = 1,     /* the grant is dead: the user must consent again */
            VAULT_RESTART_LOGIN = 2, /* this login is lost: start another */
            VAULT_RETRY = 3,         /* wait, then try again */
            VAULT_OPERATOR = 4       /* the registration or the settings are wrong; tokens are kept */
        };
        enum vault_discovery { VAULT_DISCOVERY_NONE = 0, VAULT_DISCOVERY_OIDC = 1, VAULT_DISCOVERY_RFC8414 = 2 };
        enum vault_flow {
            VAULT_FLOW_CODE = 0,
            VAULT_FLOW_CLIENT_CREDENTIALS = 1, /* the client's own tokens (RFC 6749 §4.4); needs token, VAULT_REFRESH_NONE and
                                                * VAULT_ACCOUNT_MINTED */
            VAULT_FLOW_BROWSER_TOKEN = 2       /* the platform's script gives the browser a token, which hands it in; needs
                                                * validate and VAULT_REFRESH_NONE */
        };
        enum vault_pkce { VAULT_PKCE_REQUIRED = 0, VAULT_PKCE_SUPPORTED = 1, VAULT_PKCE_UNSUPPORTED = 2 }; /* S256 only */
        enum vault_client { VAULT_CLIENT_BASIC = 0, VAULT_CLIENT_POST = 1, VAULT_CLIENT_NONE = 2 };
        enum vault_state { VAULT_STATE_PARAMETER = 0, VAULT_STATE_REDIRECT_QUERY = 1, VAULT_STATE_REDIRECT_PATH = 2 };
        enum vault_refresh {
            VAULT_REFRESH_KEEP = 0,      /* a new refresh token replaces the old one; none means keep */
            VAULT_REFRESH_NONE = 1,      /* there are no refresh tokens */
            VAULT_REFRESH_SINGLE_USE = 2 /* each works once */
        };
        enum vault_account {
            VAULT_ACCOUNT_PROFILE = 0,  /* account_id is a path in the profile's answer */
            VAULT_ACCOUNT_TOKEN = 1,    /* account_id is a path in the token answer */
            VAULT_ACCOUNT_ID_TOKEN = 2, /* the ID token's sub */
            VAULT_ACCOUNT_MINTED = 3    /* there is none: each connection gets one of its own */
        };
        enum vault_revocation { VAULT_REVOKE_REFRESH_TOKEN = 0, VAULT_REVOKE_ACCESS_TOKEN = 1, VAULT_REVOKE_BOTH = 2 };
        enum vault_encoding {
            VAULT_ENCODING_USUAL = 0, VAULT_ENCODING_FORM = 1, VAULT_ENCODING_JSON = 2, VAULT_ENCODING_QUERY = 3,
            VAULT_ENCODING_NONE = 4
        };
        enum vault_authentication {
            VAULT_AUTHENTICATION_USUAL = 0, VAULT_AUTHENTICATION_CLIENT = 1, VAULT_AUTHENTICATION_ACCESS_TOKEN = 2,
            VAULT_AUTHENTICATION_NONE = 3, VAULT_AUTHENTICATION_BASIC = 4 /* the client by Basic, whatever `client` says */
        };
        enum vault_flag {
            VAULT_REQUIRES_ISSUER_PARAMETER = 1,  /* a callback without iss is refused (RFC 9207) */
            VAULT_CALLBACK_MAY_BE_POSTED = 2,     /* the callback may come as a form */
            VAULT_SCOPE_ON_TOKEN_REQUESTS = 4,    /* the scope is sent there too */
            VAULT_ZERO_MEANS_NEVER = 8,           /* a lifetime of 0 is for ever */
            VAULT_NEVER_EXPIRES = 16,             /* access tokens have no end, whatever the answer says */
            VAULT_REVOKE_SENDS_HINT = 32,         /* token_type_hint (RFC 7009) */
            VAULT_HOOK_NEEDS_SECRET = 64          /* hooks see the client secret */
        };

        /* How one provider behaves. */
        typedef struct vault_provider_v1 {
            uint32_t abi;             /* VAULT_ABI_V1 */
            uint32_t flags;           /* vault_flag, or'ed */
            const char *id;           /* 1 to 32 of a-z, 0-9, -: what `provider =` names in vault.conf; "acme" */
            const char *name;         /* for people; "Acme Music" */
            const char *issuer;       /* an https URL, compared to the letter; unique over all plugins; or {user.issuer} */
            const char *issuer_aliases; /* list: what an ID token may say instead */

            /* https URLs without fragment, or {user.NAME} in front. NULL: none, or by discovery. refresh NULL: token. */
            const char *authorize, *token, *refresh, *revoke, *profile, *validate;
            const char *hosts;        /* list: the only hosts vault may call; NULL: those of the endpoints */
            const char *scopes;       /* list: asked for when the operator says nothing else */
            const char *scope_separator; /* NULL: a space */
            const char *settings;     /* list: what the operator may set in [platforms.NAME]. vault itself understands
                                       * account-id, client-auth, display-name-path, pkce, refresh-rule, scope-separator */

            uint32_t discovery;       /* vault_discovery: endpoints that are NULL come from the issuer's metadata */
            uint32_t flow;            /* vault_flow */
            uint32_t pkce;            /* vault_pkce */
            uint32_t client;          /* vault_client: how vault authenticates; always one way at a time */
            uint32_t state;           /* vault_state: what carries the state, for providers that do not echo it */
            uint32_t refresh_rule;    /* vault_refresh */
            uint32_t account;         /* vault_account */
            uint32_t revocation;      /* vault_revocation */

            const char *account_id;   /* path; NULL: "id" */
            const char *display_name; /* path in the profile's answer; NULL: none */

            /* Where things stand in a token answer: paths. NULL: as in RFC 6749. expires_in is a list of paths to try. */
            const char *access_token, *refresh_token, *scope, *id_token, *expires_in;

            const char *api_header;   /* how the API wants the token; NULL: "Authorization" */
            const char *api_prefix;   /* before it; NULL: "Bearer " */
            const char *api_query;    /* or as this query parameter; NULL: in the header */
            const char *revoke_token_parameter; /* NULL: "token"; "": the token is not sent */
            const char *revoke_statuses; /* list: what means done; NULL: "200" */

            /* Seconds; 0: none. */
            int64_t absolute_lifetime; /* the grant ends so long after consent, however often it is used */
            int64_t idle_lifetime;     /* the grant ends when it is not used for so long */
            int64_t default_lifetime;  /* of an access token, when the answer does not say */
            int64_t validate_every;    /* ask at `validate` so often */

            const vault_pair_v1 *names;   /* wire names that differ: {"client_id", "app_id"}, {"token.scope", ""}; the
                                           * standard's name, after a stage and a dot or for all; "" leaves it out */
            const vault_pair_v1 *authorize_parameters, *token_parameters, *refresh_parameters, *revoke_parameters;
            const vault_pair_v1 *api_headers; /* sent with every request that carries the access token */
            const vault_shape_v1 *shapes;
            const vault_error_v1 *errors;

            vault_hook_v1 prepare;    /* changes a request before it is sent; NULL: none */
            vault_hook_v1 parse;      /* rewrites an answer as the JSON that the paths above fit; NULL: none */
            const vault_pair_v1 *more; /* for what comes later; NULL: nothing. Known today:
                                        * jwt.algorithm  "ES256": the client secret is a private key (PEM); vault signs a JWT
                                        *                with it, sends it as Authorization: Bearer beside the access token,
                                        *                and gives it to browsers that fetch a token. client: NONE
                                        * jwt.key_id     its kid; may name places
                                        * jwt.issuer     its iss; without it {client_id}
                                        * jwt.lifetime   seconds, 60 to 15777000; without it 3600
                                        * revoke.gone    a text in a refused revocation that says the token was gone already
                                        * example.STAGE.MEANING.STATUS.WORD  an answer of the platform, for `vault plugin
                                        *                check`. STAGE: exchange, refresh, profile, validate, revoke. MEANING:
                                        *                tokens, account, valid, reconnect, restart-login, retry, operator.
                                        *                STATUS (200 or 400) and WORD, which tells two apart, may be left out */
        } vault_provider_v1;

        /* The one symbol. Returns NULL when the plugin cannot work here. */
        VAULT_PLUGIN const vault_provider_v1 *vault_plugin_v1(void);

        #if UINTPTR_MAX == 0xFFFFFFFFFFFFFFFFu
        VAULT_ASSERT(sizeof(vault_pair_v1) == 16, "vault_pair_v1");
        VAULT_ASSERT(sizeof(vault_shape_v1) == 32 && offsetof(vault_shape_v1, headers) == 24, "vault_shape_v1");
        VAULT_ASSERT(sizeof(vault_error_v1) == 32 && offsetof(vault_error_v1, path) == 8, "vault_error_v1");
        VAULT_ASSERT(sizeof(vault_call_v1) == 72 && offsetof(vault_call_v1, allocate) == 56, "vault_call_v1");
        VAULT_ASSERT(sizeof(vault_message_v1) == 48 && offsetof(vault_message_v1, status) == 40, "vault_message_v1");
        VAULT_ASSERT(offsetof(vault_provider_v1, discovery) == 120, "vault_provider_v1");
        VAULT_ASSERT(offsetof(vault_provider_v1, absolute_lifetime) == 248, "vault_provider_v1");
        VAULT_ASSERT(sizeof(vault_provider_v1) == 368, "vault_provider_v1");
        #endif

        #undef VAULT_ASSERT
        #ifdef __cplusplus
        }
        #endif
        #endif
        """##
    static let exportMap = ##"""
        { global: vault_plugin_v1; local: *; };
        """##
    static let hooks = ##"""
        public import VaultABI

        extension UnsafePointer where Pointee == vault_call_v1 {
            /// Memory for what the hook returns: freed by vault after the call, never by the plugin. nil when there is no more.
            public func allocate(_ size: Int) -> UnsafeMutableRawPointer? { pointee.allocate?(self, size) }

            /// The operator's setting of that name.
            public func setting(_ name: StaticString) -> UnsafePointer<CChar>? {
                guard var pair = pointee.settings else { return nil }
                while let candidate = pair.pointee.name {
                    if name.isSame(as: candidate) { return pair.pointee.value }
                    pair += 1
                }
                return nil
            }
        }

        extension StaticString {
            /// Compares bytes; comparing Swift strings would need Unicode's tables.
            func isSame(as text: UnsafePointer<CChar>) -> Bool {
                let bytes = utf8Start
                var index = 0
                while index < utf8CodeUnitCount {
                    if UInt8(bitPattern: text[index]) != bytes[index] { return false }
                    index += 1
                }
                return text[index] == 0
            }
        }
        """##
    static let provider = ##"""
        public import VaultABI

        /// One OAuth 2.1 provider, as a plugin in Swift describes it.
        ///
        /// Every member has the name and the meaning of `vault_plugin.h`, which is the manual; what is left out is plain
        /// OAuth 2.1. Works in Embedded Swift: no Foundation, no comparing or hashing of strings.
        ///
        /// ```swift
        /// import VaultABI
        /// import VaultPluginKit
        ///
        /// @c @implementation
        /// public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
        ///     var acme = Provider(id: "acme", name: "Acme", issuer: "https://acme.example")
        ///     acme.authorize = "https://acme.example/authorize"
        ///     acme.token = "https://acme.example/token"
        ///     acme.profile = "https://acme.example/me"
        ///     return acme.published()
        /// }
        /// ```
        public struct Provider {
            public typealias Pairs = [(StaticString, StaticString)]

            public var id: StaticString
            public var name: StaticString
            public var issuer: StaticString
            public var issuerAliases: StaticString?

            public var authorize: StaticString?
            public var token: StaticString?
            public var refresh: StaticString?
            public var revoke: StaticString?
            public var profile: StaticString?
            public var validate: StaticString?
            /// A list with spaces between, as all lists here.
            public var hosts: StaticString?
            public var scopes: StaticString?
            public var scopeSeparator: StaticString?
            public var settings: StaticString?

            public var discovery = VAULT_DISCOVERY_NONE
            public var flow = VAULT_FLOW_CODE
            public var pkce = VAULT_PKCE_REQUIRED
            public var client = VAULT_CLIENT_BASIC
            public var state = VAULT_STATE_PARAMETER
            public var refreshRule = VAULT_REFRESH_KEEP
            public var account = VAULT_ACCOUNT_PROFILE
            public var revocation = VAULT_REVOKE_REFRESH_TOKEN
            public var flags: [vault_flag] = []

            public var accountID: StaticString?
            public var displayName: StaticString?
            public var accessToken: StaticString?
            public var refreshToken: StaticString?
            public var scope: StaticString?
            public var idToken: StaticString?
            public var expiresIn: StaticString?
            public var apiHeader: StaticString?
            public var apiPrefix: StaticString?
            public var apiQuery: StaticString?
            public var revokeTokenParameter: StaticString?
            public var revokeStatuses: StaticString?

            /// Seconds, as all lifetimes here; 0 for none.
            public var absoluteLifetime: Int64 = 0
            public var idleLifetime: Int64 = 0
            public var defaultLifetime: Int64 = 0
            public var validateEvery: Int64 = 0

            public var names: Pairs = []
            public var authorizeParameters: Pairs = []
            public var tokenParameters: Pairs = []
            public var refreshParameters: Pairs = []
            public var revokeParameters: Pairs = []
            public var apiHeaders: Pairs = []
            public var shapes: [Shape] = []
            public var errors: [ErrorRule] = []
            public var more: Pairs = []

            public var prepare: vault_hook_v1?
            public var parse: vault_hook_v1?

            public init(id: StaticString, name: StaticString, issuer: StaticString) {
                self.id = id
                self.name = name
                self.issuer = issuer
            }

            /// How one stage's request differs from the usual one.
            public struct Shape {
                public var stage: StaticString
                public var method: StaticString?
                public var encoding = VAULT_ENCODING_USUAL
                public var authentication = VAULT_AUTHENTICATION_USUAL
                public var headers: Pairs = []

                public init(
                    _ stage: StaticString, method: StaticString? = nil, encoding: vault_encoding = VAULT_ENCODING_USUAL,
                    authentication: vault_authentication = VAULT_AUTHENTICATION_USUAL, headers: Pairs = []
                ) {
                    self.stage = stage
                    self.method = method
                    self.encoding = encoding
                    self.authentication = authentication
                    self.headers = headers
                }
            }

            /// What an answer means; exactly one of `equals` and `contains` is given.
            public struct ErrorRule {
                public var failure: vault_failure
                public var status: UInt32
                public var path: StaticString?
                public var equals: StaticString?
                public var contains: StaticString?

                public init(
                    _ failure: vault_failure, status: UInt32 = 0, path: StaticString? = nil, equals: StaticString? = nil,
                    contains: StaticString? = nil
                ) {
                    self.failure = failure
                    self.status = status
                    self.path = path
                    self.equals = equals
                    self.contains = contains
                }
            }
        }
        """##
    static let published = ##"""
        public import VaultABI

        extension Provider {
            /// The description in memory that stays for ever, as `vault_plugin_v1` must return it.
            public func published() -> UnsafePointer<vault_provider_v1> {
                var out = vault_provider_v1()
                out.abi = UInt32(VAULT_ABI_V1)
                for flag in flags { out.flags |= flag.rawValue }
                (out.id, out.name, out.issuer) = (Self.text(id), Self.text(name), Self.text(issuer))
                out.issuer_aliases = Self.text(issuerAliases)

                (out.authorize, out.token, out.refresh) = (Self.text(authorize), Self.text(token), Self.text(refresh))
                (out.revoke, out.profile, out.validate) = (Self.text(revoke), Self.text(profile), Self.text(validate))
                (out.hosts, out.scopes, out.settings) = (Self.text(hosts), Self.text(scopes), Self.text(settings))
                out.scope_separator = Self.text(scopeSeparator)

                (out.discovery, out.flow) = (discovery.rawValue, flow.rawValue)
                (out.pkce, out.client) = (pkce.rawValue, client.rawValue)
                (out.state, out.refresh_rule) = (state.rawValue, refreshRule.rawValue)
                (out.account, out.revocation) = (account.rawValue, revocation.rawValue)

                (out.account_id, out.display_name) = (Self.text(accountID), Self.text(displayName))
                (out.access_token, out.refresh_token) = (Self.text(accessToken), Self.text(refreshToken))
                (out.scope, out.id_token, out.expires_in) = (Self.text(scope), Self.text(idToken), Self.text(expiresIn))
                (out.api_header, out.api_prefix, out.api_query) =
                    (Self.text(apiHeader), Self.text(apiPrefix), Self.text(apiQuery))
                out.revoke_token_parameter = Self.text(revokeTokenParameter)
                out.revoke_statuses = Self.text(revokeStatuses)

                (out.absolute_lifetime, out.idle_lifetime) = (absoluteLifetime, idleLifetime)
                (out.default_lifetime, out.validate_every) = (defaultLifetime, validateEvery)

                out.names = Self.pairs(names)
                out.authorize_parameters = Self.pairs(authorizeParameters)
                out.token_parameters = Self.pairs(tokenParameters)
                out.refresh_parameters = Self.pairs(refreshParameters)
                out.revoke_parameters = Self.pairs(revokeParameters)
                out.api_headers = Self.pairs(apiHeaders)
                out.more = Self.pairs(more)
                out.shapes = Self.array(shapes, end: vault_shape_v1()) { shape in
                    vault_shape_v1(
                        stage: Self.text(shape.stage), method: Self.text(shape.method), encoding: shape.encoding.rawValue,
                        authentication: shape.authentication.rawValue, headers: Self.pairs(shape.headers))
                }
                out.errors = Self.array(errors, end: vault_error_v1()) { rule in
                    vault_error_v1(
                        failure: rule.failure.rawValue, status: rule.status, path: Self.text(rule.path),
                        equals: Self.text(rule.equals), contains: Self.text(rule.contains))
                }
                (out.prepare, out.parse) = (prepare, parse)

                let place = UnsafeMutablePointer<vault_provider_v1>.allocate(capacity: 1)
                place.initialize(to: out)
                return UnsafePointer(place)
            }

            /// A static string ends with NUL and never goes away.
            private static func text(_ string: StaticString?) -> UnsafePointer<CChar>? {
                guard let string else { return nil }
                return UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
            }

            private static func pairs(_ pairs: Pairs) -> UnsafePointer<vault_pair_v1>? {
                array(pairs, end: vault_pair_v1()) { vault_pair_v1(name: text($0.0), value: text($0.1)) }
            }

            private static func array<In, Out>(_ values: [In], end: Out, _ make: (In) -> Out) -> UnsafePointer<Out>? {
                if values.isEmpty { return nil }
                let place = UnsafeMutablePointer<Out>.allocate(capacity: values.count + 1)
                for index in 0..<values.count { (place + index).initialize(to: make(values[index])) }
                (place + values.count).initialize(to: end)
                return UnsafePointer(place)
            }
        }
        """##
}
