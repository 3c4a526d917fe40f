import Testing

/// A plugin that must not load, and what is said of it.
struct BadPlugin: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    /// A word of the fault's message.
    var says: String
    var flags: [String] = []
    var testDescription: String { name }
}

extension BadPlugin {
    /// Those that would take the process with them that they run in.
    static let deadly: [BadPlugin] = [
        BadPlugin(
            name: "aborts in init",
            text: Workshop.plugin(
                "x", before: "#include <stdlib.h>\n__attribute__((constructor)) static void init(void) { abort(); }"),
            says: "signal 6"),
        BadPlugin(
            name: "aborts in entry", text: Workshop.plugin("x", before: "#include <stdlib.h>", entry: "abort();"),
            says: "signal 6"),
        BadPlugin(
            name: "crashes in init",
            text: Workshop.plugin(
                "x", before: "__attribute__((constructor)) static void init(void) { *(volatile int *)8 = 1; }"),
            says: "signal 11"),
        BadPlugin(
            name: "crashes in entry",
            text: Workshop.plugin("x", entry: "return *(const vault_provider_v1 *volatile *)16;"), says: "signal 11"),
        BadPlugin(name: "wild pointers", text: Workshop.plugin("x", ".scopes = (const char *)24,"), says: "signal 11"),
        BadPlugin(
            name: "exits", text: Workshop.plugin("x", before: "#include <stdlib.h>", entry: "exit(0);"),
            says: "ended with status 0"),
        BadPlugin(
            name: "loops in init",
            text: Workshop.plugin(
                "x",
                before: "__attribute__((constructor)) static void init(void) { for (;;) { __asm__ volatile(\"\"); } }"),
            says: "did not load within"),
        BadPlugin(
            name: "loops in entry", text: Workshop.plugin("x", entry: "for (;;) { __asm__ volatile(\"\"); }"),
            says: "did not load within"),
        BadPlugin(
            name: "overflows its stack",
            text: Workshop.plugin(
                "x",
                before: """
                    static int down(int n) {
                        volatile char room[65536];
                        for (unsigned i = 0; i < sizeof room; i += 512) room[i] = (char)n;
                        return down(n + 1) + room[n & 0xFF];
                    }
                    """, entry: "return down(0) ? &p : 0;"), says: "signal 11"),
        BadPlugin(
            name: "eats memory",
            text: Workshop.plugin(
                "x", before: "#include <stdlib.h>\n#include <string.h>",
                entry: "for (;;) { char *m = malloc(1 << 26); if (!m) abort(); memset(m, 1, 4096); }"), says: "signal 6"
        ),
        BadPlugin(
            name: "talks nonsense to the host",
            text: Workshop.plugin(
                "x", before: "#include <unistd.h>",
                entry: "if (write(3, \"\\377\\377\\377\\377nonsense\", 12) < 0) return 0; return &p;"), says: "nonsense"
        ),
        BadPlugin(
            name: "closes the socket",
            text: Workshop.plugin("x", before: "#include <unistd.h>", entry: "close(3); return &p;"),
            says: "while it was loaded"),
    ]
}
