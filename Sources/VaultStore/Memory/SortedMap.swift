import Glibc

/// Byte strings in order, as a persistent treap: a copy is one pointer and never changes again.
///
/// Snapshots and roll-back come for free: keep the old map.
struct SortedMap: Sendable {
    private var root: Node?

    var count: Int { root?.count ?? 0 }

    subscript(key: [UInt8]) -> [UInt8]? {
        var next = root
        while let node = next {
            let order = compare(key, node.key)
            if order == 0 { return node.value }
            next = order < 0 ? node.left : node.right
        }
        return nil
    }

    mutating func set(_ value: [UInt8], for key: [UInt8]) {
        root = Self.setting(value, for: key, priority: key.hashValue, in: root)
    }

    mutating func remove(_ key: [UInt8]) { root = Self.removing(key, from: root) }

    /// Visits keys from `key` (included) upwards until `body` says false.
    func scan(from key: [UInt8], _ body: ([UInt8], [UInt8]) throws -> Bool) rethrows {
        _ = try Self.scan(root, from: key, body)
    }

    /// The place of a node is its key's, its height its priority's, so the shape depends on the keys alone.
    private final class Node: Sendable {
        let key: [UInt8]
        let value: [UInt8]
        let priority: Int
        let left: Node?
        let right: Node?
        let count: Int

        init(_ key: [UInt8], _ value: [UInt8], _ priority: Int, _ left: Node?, _ right: Node?) {
            self.key = key
            self.value = value
            self.priority = priority
            self.left = left
            self.right = right
            count = 1 + (left?.count ?? 0) + (right?.count ?? 0)
        }

        func with(left: Node?, right: Node?) -> Node { Node(key, value, priority, left, right) }
    }

    private static func setting(_ value: [UInt8], for key: [UInt8], priority: Int, in node: Node?) -> Node {
        guard let node else { return Node(key, value, priority, nil, nil) }
        let order = compare(key, node.key)
        if order == 0 { return Node(key, value, priority, node.left, node.right) }
        if priority > node.priority {
            let (left, right) = split(node, at: key)
            return Node(key, value, priority, left, right)
        }
        if order < 0 {
            return node.with(left: setting(value, for: key, priority: priority, in: node.left), right: node.right)
        }
        return node.with(left: node.left, right: setting(value, for: key, priority: priority, in: node.right))
    }

    private static func removing(_ key: [UInt8], from node: Node?) -> Node? {
        guard let node else { return nil }
        let order = compare(key, node.key)
        if order == 0 { return merge(node.left, node.right) }
        if order < 0 { return node.with(left: removing(key, from: node.left), right: node.right) }
        return node.with(left: node.left, right: removing(key, from: node.right))
    }

    /// What is below `key`, and what is above; `key` itself is not in `node`.
    private static func split(_ node: Node?, at key: [UInt8]) -> (Node?, Node?) {
        guard let node else { return (nil, nil) }
        if compare(key, node.key) < 0 {
            let (left, right) = split(node.left, at: key)
            return (left, node.with(left: right, right: node.right))
        }
        let (left, right) = split(node.right, at: key)
        return (node.with(left: node.left, right: left), right)
    }

    private static func merge(_ left: Node?, _ right: Node?) -> Node? {
        guard let left else { return right }
        guard let right else { return left }
        if left.priority > right.priority {
            return left.with(left: left.left, right: merge(left.right, right))
        }
        return right.with(left: merge(left, right.left), right: right.right)
    }

    private static func scan(_ node: Node?, from key: [UInt8], _ body: ([UInt8], [UInt8]) throws -> Bool) rethrows
        -> Bool
    {
        guard let node else { return true }
        let order = compare(key, node.key)
        if order < 0, try !scan(node.left, from: key, body) { return false }
        if order <= 0, try !body(node.key, node.value) { return false }
        return try scan(node.right, from: key, body)
    }
}

/// Byte order: negative, zero or positive.
private func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
    let order = memcmp(a, b, min(a.count, b.count))
    return order == 0 ? a.count - b.count : Int(order)
}
