import Glibc

/// The pages of this program's code.
enum ProgramPages {
    /// Lets go of those in memory: the system keeps them in its cache, and the ones that are needed come back from there.
    ///
    /// A start goes through most of the file once, looking for conformances, and through its own code, which is not run
    /// again. After it, that is half of what the process holds (madvise(2), `MADV_DONTNEED`).
    static func letGo() {
        guard let maps = fopen("/proc/self/smaps", "re") else { return }
        defer { fclose(maps) }
        guard let program = realpath(ProcessRules.program, nil) else { return }
        defer { free(program) }
        let path = " " + String(cString: program)
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        var part: (start: UInt, end: UInt)?
        while getline(&line, &room, maps) > 0, let text = line.map({ String(cString: $0) }) {
            let words = text.split(whereSeparator: \.isWhitespace)
            if words.count >= 5, words[1].count == 4 {
                // `start-end r-xp offset device inode path`
                let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                let isCode = ends.count == 2 && words[1].dropFirst().first == "-" && text.dropLast().hasSuffix(path)
                part = isCode ? (ends[0], ends[1]) : nil
            } else if words.first == "Anonymous:", words[1] == "0", let (start, end) = part {
                // No page of it was ever written, so there is nothing to lose.
                madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
            }
        }
    }
}
