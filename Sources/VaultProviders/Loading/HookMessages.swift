import VaultBase

/// What goes into a hook, in a form that crosses a pointer or a socket alike.
struct HookInput: Sendable {
    enum Hook: String, Sendable { case prepare, parse }
    var hook: Hook
    var stage: FlowEngine.Stage
    var context: HookContext
    var method = ""
    var url = ""
    var status = 0
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    init(_ stage: FlowEngine.Stage, _ request: ProviderRequest, _ context: HookContext) {
        (hook, self.stage, self.context) = (.prepare, stage, context)
        (method, url, headers, body) = (request.method, request.url, request.headers, request.body)
    }

    init(_ stage: FlowEngine.Stage, _ answer: ProviderAnswer, _ context: HookContext) {
        (hook, self.stage, self.context) = (.parse, stage, context)
        (status, headers, body) = (answer.status, answer.headers, answer.body)
    }

    var frame: Frame {
        var items = [
            hook.rawValue, stage.rawValue, "\(context.now.rawValue)", context.scope, context.clientID,
            context.clientSecret == nil ? "0" : "1", context.clientSecret?.reveal() ?? "", method, url, "\(status)",
            "\(context.parameters.count)",
        ].map { Array($0.utf8) }
        items.append(body)
        for (name, value) in context.parameters.sorted(by: { $0.key < $1.key }) {
            items += [Array(name.utf8), Array(value.utf8)]
        }
        for (name, value) in headers { items += [Array(name.utf8), Array(value.utf8)] }
        return Frame(items)
    }

    init?(_ frame: Frame) {
        guard frame.items.count >= 12, frame.items.count % 2 == 0 else { return nil }
        let text = frame.items[..<11].map { String(decoding: $0, as: UTF8.self) }
        guard let hook = Hook(rawValue: text[0]), let stage = FlowEngine.Stage(rawValue: text[1]),
            let now = Int64(text[2]),
            let status = Int(text[9]), let settings = Int(text[10])
        else { return nil }
        (self.hook, self.stage, self.status) = (hook, stage, status)
        (method, url, body) = (text[7], text[8], frame.items[11])
        let pairs = stride(from: 12, to: frame.items.count, by: 2).map { index in
            (
                name: String(decoding: frame.items[index], as: UTF8.self),
                value: String(decoding: frame.items[index + 1], as: UTF8.self)
            )
        }
        guard settings <= pairs.count else { return nil }
        headers = Array(pairs.dropFirst(settings))
        context = HookContext(
            now: Timestamp(rawValue: now), scope: text[3], clientID: text[4],
            clientSecret: text[5] == "1" ? Secret(text[6]) : nil,
            parameters: Dictionary(pairs.prefix(settings).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
    }
}

/// What came out of a hook; not believed yet.
struct HookOutput: Sendable {
    var method = ""
    var url = ""
    var status = 0
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []

    /// nil when the hook refused, or returned what its header forbids.
    static func frame(_ output: HookOutput?) -> Frame {
        guard let output else { return Frame(["refused"]) }
        var items = ["done", output.method, output.url, "\(output.status)"].map { Array($0.utf8) } + [output.body]
        for (name, value) in output.headers { items += [Array(name.utf8), Array(value.utf8)] }
        return Frame(items)
    }

    init() {}

    init?(_ frame: Frame) {
        guard frame.items.count >= 5, frame.items.count <= 5 + 128, frame.items.count % 2 == 1,
            frame.items[0] == Array("done".utf8)
        else { return nil }
        var texts: [String] = []
        for (index, item) in frame.items.enumerated() where index != 4 {
            guard let text = String(validating: item, as: UTF8.self) else { return nil }
            texts.append(text)
        }
        guard let status = Int(texts[3]) else { return nil }
        (method, url, self.status, body) = (texts[1], texts[2], status, frame.items[4])
        headers = stride(from: 4, to: texts.count, by: 2).map { (texts[$0], texts[$0 + 1]) }
    }

    var request: ProviderRequest { ProviderRequest(method: method, url: url, headers: headers, body: body) }
    func answer(like answer: ProviderAnswer) -> ProviderAnswer {
        ProviderAnswer(status: status, headers: answer.headers, body: body)
    }
}
