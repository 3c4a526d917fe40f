/// Rows in columns, each as wide as its widest cell, two blanks between.
struct Columns {
    private var rows: [[String]]
    private var widths: [Int]

    init(_ heads: [String]) {
        rows = [heads]
        widths = heads.map { _ in 0 }
    }

    mutating func add(_ cells: [String]) { rows.append(cells.map(Terminal.plain)) }

    var isEmpty: Bool { rows.count == 1 }

    /// The rows that were added since the last time, under the heads at the first; no column becomes narrower.
    mutating func next() -> [String] {
        let lines = lines
        widths = fitting
        rows = []
        return lines
    }

    private var fitting: [Int] {
        rows.reduce(into: widths) { widths, row in
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
    }

    var lines: [String] {
        let widths = fitting
        return rows.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                line += cell
                if index < row.count - 1 { line += String(repeating: " ", count: widths[index] - cell.count + 2) }
            }
            return String(line.trimmedAtEnd)
        }
    }
}

extension String {
    fileprivate var trimmedAtEnd: Substring {
        var part = self[...]
        while part.last == " " { part.removeLast() }
        return part
    }
}
