import Glibc
import VaultStore

/// `storage-bench COMMAND …`: the commands of `Baseline/main.c`, through what vault itself calls.
@main struct Main {
    static let usage = """
        storage-bench load DIR RECORDS ENDED SIZE           make a vault, and its key beside it in DIR.key
        storage-bench read DIR RECORDS SECONDS THREADS      get and open, at random
        storage-bench latency DIR RECORDS COUNT             the same, each by the clock
        storage-bench put DIR RECORDS SECONDS WRITERS SIZE  durable overwrites at random, committed in groups
        storage-bench scan DIR                              open all in order
        storage-bench backup DIR FILE | verify DIR FILE | restore DIR FILE NEWDIR
        storage-bench rotate DIR                            seal all with another key, read all back
        storage-bench sweep DIR COUNT                       remove what has ended
        """

    static func main() async {
        LMDBStore.prepareProcess()
        do { try await run() } catch {
            print("storage-bench: error: \(error)")
            exit(1)
        }
    }

    private static func run() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        func number(_ place: Int) -> Int { Int(words[place]) ?? 0 }
        func seconds(_ place: Int) -> Double { Double(words[place]) ?? 0 }
        switch (words.first, words.count) {
        case ("load", 5): try await Loading.load(words[1], records: number(2), ended: number(3), size: number(4))
        case ("read", 5):
            try await Reading.read(words[1], records: number(2), seconds: seconds(3), threads: number(4))
        case ("latency", 4): try await Reading.latency(words[1], records: number(2), count: number(3))
        case ("put", 6):
            try await Writing.put(
                words[1], records: number(2), seconds: seconds(3), writers: number(4), size: number(5))
        case ("scan", 2): try await Reading.scan(words[1])
        case ("backup", 3): try await Copying.backup(words[1], to: words[2])
        case ("verify", 3): try Copying.verify(words[2], of: words[1])
        case ("restore", 4): try await Copying.restore(words[2], of: words[1], into: words[3])
        case ("rotate", 2): try await Upkeep.rotate(words[1])
        case ("sweep", 3): try await Upkeep.sweep(words[1], count: number(2))
        default:
            print(usage)
            exit(64)
        }
    }
}
