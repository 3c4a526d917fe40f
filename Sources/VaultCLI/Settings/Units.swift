import VaultBase

/// Times as settings write them: a whole number and `ms`, `s`, `m`, `h` or `d`.
enum Times {
    private static let units: [(String, Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    static func read(_ text: String) -> Duration? {
        guard let (number, unit) = split(text), let factor = units.first(where: { $0.0 == unit })?.1 else { return nil }
        let (product, overflow) = Int64(number).multipliedReportingOverflow(by: factor)
        return overflow ? nil : .milliseconds(product)
    }

    /// The shortest way to write it.
    static func words(_ time: Duration) -> String {
        let milliseconds = time.milliseconds
        for (unit, factor) in units.reversed() where milliseconds != 0 && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "0s"
    }
}

/// Sizes as settings write them: a whole number and `B`, `KiB`, `MiB`, `GiB` or `TiB`.
enum Sizes {
    private static let units: [(String, Int)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]

    static func read(_ text: String) -> Int? {
        guard let (number, unit) = split(text), let factor = units.first(where: { $0.0 == unit })?.1 else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// For people: three digits or so of the largest unit that fits.
    static func words(_ size: Int) -> String {
        guard let (unit, factor) = units.last(where: { size >= $0.1 }), factor > 1 else { return "\(size)B" }
        let tenths = size * 10 / factor
        return tenths % 10 == 0 || tenths >= 1000 ? "\(tenths / 10)\(unit)" : "\(tenths / 10).\(tenths % 10)\(unit)"
    }
}

private func split(_ text: String) -> (Int, String)? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), digits.count < text.count else { return nil }
    return (number, String(text.dropFirst(digits.count)))
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: SubSequence {
        var part = self[...]
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return part
    }
}
