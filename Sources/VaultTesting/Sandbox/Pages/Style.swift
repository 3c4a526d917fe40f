extension Page {
    /// Sand and dusk: warm where the vault's own page is cool, so that nobody takes one for the other.
    static let style = """
        :root {
            color-scheme: light dark;
            --ground: #f3ead9; --card: #fffdf8; --text: #2e261a; --quiet: #6f6350; --line: #e4d8c2;
            --accent: #9a4a12; --on-accent: #ffffff; --tint: #f8efdf; --bad: #a3231b;
        }
        @media (prefers-color-scheme: dark) {
            :root {
                --ground: #17130d; --card: #221c14; --text: #f2e9da; --quiet: #b9aa91; --line: #3b3123;
                --accent: #f0a35e; --on-accent: #221404; --tint: #2b2318; --bad: #ff9b8f;
            }
        }
        * { box-sizing: border-box; }
        body {
            margin: 0; min-height: 100vh; min-height: 100dvh; padding: 24px 16px; display: grid; place-content: center;
            justify-items: center; gap: 20px; background: var(--ground); color: var(--text);
            font: 16px/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
        }
        main {
            width: min(440px, calc(100vw - 32px)); padding: 32px; background: var(--card);
            border: 1px solid var(--line); border-radius: 20px; box-shadow: 0 24px 60px -32px rgb(60 40 10 / .45);
        }
        @media (max-width: 420px) { main { padding: 24px 20px; } }
        footer { max-width: 400px; color: var(--quiet); font-size: 13px; text-align: center; }
        .brand { display: flex; align-items: center; gap: 10px; margin: 0 0 24px; font-weight: 650; letter-spacing: .01em; }
        .mark {
            width: 22px; height: 22px; border-radius: 50% 50% 6px 6px;
            background: linear-gradient(var(--accent) 0 55%, color-mix(in srgb, var(--accent) 45%, var(--card)) 55%);
        }
        h1 { margin: 0 0 6px; font-size: 26px; line-height: 1.2; letter-spacing: -.015em; text-wrap: balance; }
        .lead { margin: 0 0 22px; color: var(--quiet); text-wrap: pretty; }
        .lead b { color: var(--text); }
        small { display: block; color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; }
        strong { font-weight: 600; overflow-wrap: anywhere; }
        code { font-size: .9em; padding: 1px 5px; border-radius: 5px; background: var(--tint); overflow-wrap: anywhere; }
        a { color: var(--accent); text-underline-offset: 3px; }
        form { margin: 0; }
        button, input { font: inherit; color: inherit; }
        button {
            min-height: 44px; padding: 8px 16px; border: 1px solid var(--line); border-radius: 12px;
            background: var(--card); cursor: pointer;
        }
        button:hover { border-color: var(--accent); }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        .primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
        .primary:hover { filter: brightness(1.08); }
        .people { display: grid; gap: 8px; }
        .person, .who { display: flex; align-items: center; gap: 12px; width: 100%; text-align: left; }
        .person { padding: 10px 14px; }
        .person:hover { background: var(--tint); }
        .face {
            flex: none; width: 38px; height: 38px; border-radius: 50%; display: grid; place-content: center;
            background: var(--tint); color: var(--accent); border: 1px solid var(--line); font-size: 14px; font-weight: 650;
        }
        .or { display: flex; align-items: center; gap: 12px; margin: 20px 0 14px; color: var(--quiet); font-size: 13px; }
        .or::before, .or::after { content: ""; flex: 1; height: 1px; background: var(--line); }
        .own label { display: block; margin-bottom: 6px; font-size: 14px; font-weight: 600; }
        .field { display: flex; gap: 8px; }
        .field input {
            flex: 1; min-width: 0; min-height: 44px; padding: 8px 14px; background: var(--ground);
            border: 1px solid var(--quiet); border-radius: 12px;
        }
        .quiet { margin-top: 16px; text-align: center; }
        .quiet button, .link {
            border: 0; background: none; color: var(--quiet); text-decoration: underline; text-underline-offset: 3px;
        }
        .quiet button:hover, .link:hover { color: var(--text); }
        .who { margin-bottom: 18px; padding: 12px 14px; border: 1px solid var(--line); border-radius: 14px; background: var(--tint); }
        .who .link { margin-left: auto; padding: 4px; flex: none; font-size: 14px; }
        @media (max-width: 420px) {
            .who { flex-wrap: wrap; row-gap: 2px; }
            .who > span { max-width: calc(100% - 50px); }
            .who .link { min-height: 28px; margin-left: 50px; padding: 0; }
        }
        fieldset { margin: 0 0 22px; padding: 0; border: 0; }
        legend { padding: 0; margin-bottom: 6px; font-size: 14px; font-weight: 600; }
        .scope { display: flex; gap: 12px; align-items: center; padding: 10px 2px; border-top: 1px solid var(--line); }
        .scope input { flex: none; width: 20px; height: 20px; accent-color: var(--accent); }
        .decide { display: grid; grid-template-columns: 2fr 1fr; gap: 10px; }
        .problem { margin: 0 0 10px; color: var(--bad); font-size: 14px; }
        @media (prefers-reduced-motion: no-preference) { button { transition: border-color .15s, background .15s; } }

        """
}
