/// Rows in columns, each as wide as its widest cell, two blanks between.
struct Columns {
    private var rows: [[String]]

    init(_ heads: [String]) { rows = [heads] }

    mutating func add(_ cells: [String]) { rows.append(cells.map(Terminal.plain)) }

    var isEmpty: Bool { rows.count == 1 }

    var lines: [String] {
        let widths = rows.reduce(into: [Int](repeating: 0, count: rows[0].count)) { widths, row in
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
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
