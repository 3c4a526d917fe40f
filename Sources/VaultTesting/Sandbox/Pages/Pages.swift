extension Page {
    /// Who are you? Anybody.
    static func login(
        title: String, request: String, client: String, hint: String?, wrongName: Bool = false,
        action: String = "/authorize/login"
    ) -> Page {
        let people = Person.known.map { person in
            """
            <button class="person" name="user" value="\(person.user)">
            <span class="face" aria-hidden="true">\(Person(person.user).initials)</span>
            <span><strong>\(escape(person.name))</strong><small>\(Person(person.user).email)</small></span>
            </button>
            """
        }
        let problem = """
            <p class="problem" id="problem" role="alert">A name has letters, digits, dots, dashes and underscores, \
            and at most 64 of them.</p>
            """
        return Page(
            title: title, heading: "Sign in",
            body: """
                <h1>Sign in</h1>
                <p class="lead"><b>\(escape(client))</b> would like to connect to your account here.</p>
                <form method="post" action="\(action)" class="people">
                <input type="hidden" name="request" value="\(request)">
                \(people.joined(separator: "\n"))
                </form>
                <p class="or"><span>or be somebody else</span></p>
                \(wrongName ? problem : "")
                <form method="post" action="\(action)" class="own">
                <input type="hidden" name="request" value="\(request)">
                <label for="name">Any name</label>
                <div class="field">
                <input id="name" name="name" value="\(escape(hint ?? ""))" maxlength="64" required autocomplete="off" \
                autocapitalize="none" spellcheck="false"\(wrongName ? #" aria-invalid="true" aria-describedby="problem""# : "")>
                <button class="primary">Continue</button>
                </div>
                </form>
                <form method="post" action="\(action)" class="quiet">
                <input type="hidden" name="request" value="\(request)">
                <button name="cancel" value="yes">Cancel and go back</button>
                </form>
                """)
    }

    /// May they?
    static func consent(title: String, request: String, client: String, person: Person, scopes: [String]) -> Page {
        let rows = scopes.map { scope in
            let fixed = required.contains(scope)
            return """
                <label class="scope"><input type="checkbox" name="scope" value="\(scope)" checked\(fixed ? " disabled" : "")>
                <span><strong>\(meaning(of: scope))</strong><small>\(scope)\(fixed ? " · always" : "")</small></span></label>
                """
        }
        return Page(
            title: title, heading: "Allow access?",
            body: """
                <h1>Allow access?</h1>
                <p class="lead"><b>\(escape(client))</b> asks for the following. Untick what it shall not have.</p>
                <form method="post" action="/authorize/consent">
                <input type="hidden" name="request" value="\(request)">
                <div class="who">
                <span class="face" aria-hidden="true">\(escape(person.initials))</span>
                <span><strong>\(escape(person.name))</strong><small>\(escape(person.email))</small></span>
                <button form="switch" name="decision" value="switch" class="link">Not you?</button>
                </div>
                <fieldset>
                <legend>It may</legend>
                \(rows.joined(separator: "\n"))
                </fieldset>
                <div class="decide">
                <button name="decision" value="allow" class="primary">Allow</button>
                <button name="decision" value="deny">Deny</button>
                </div>
                </form>
                <form method="post" action="/authorize/consent" id="switch">
                <input type="hidden" name="request" value="\(request)">
                </form>
                """)
    }

    /// Nothing may be sent back to the application, so a person reads it here.
    static func problem(title: String, reason: String) -> Page {
        Page(
            title: title, heading: "This cannot go on",
            body: """
                <h1>This cannot go on</h1>
                <p class="lead">The request is not one this server may answer: \(escape(reason)).</p>
                <p>Nothing was sent anywhere. Go back to the application and try again from there.</p>
                """)
    }

    static func welcome(title: String, issuer: String) -> Page {
        let faults = Sandbox.Misbehaviour.Fault.allCases.map { "<code>\($0.rawValue)</code>" }.joined(separator: ", ")
        return Page(
            title: title, heading: "An authorization server to try things on",
            body: """
                <h1>An authorization server to try things on</h1>
                <p class="lead">Applications connect here as they would to a real platform. Start from the application.</p>
                <p>Issuer: <code>\(escape(issuer))</code></p>
                <p>Sign in with one of these names, and every refresh goes wrong in that way: \(faults).</p>
                <p><a href="/ledger">What was issued</a> · <a href="/control">How it behaves</a> · \
                <a href="/.well-known/oauth-authorization-server">Metadata</a></p>
                """)
    }

    private static func meaning(of scope: String) -> String {
        switch scope {
        case "openid": "Know that it is you"
        case "profile": "See your name"
        case "email": "See your e-mail address"
        case "music": "See and play your music"
        case "offline_access": "Do so while you are away"
        default: scope
        }
    }
}
