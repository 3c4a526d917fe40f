import Glibc

/// Paths as people write them.
enum FilePath {
    /// With the home directory for a leading `~/`.
    static func expand(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/") else { return path }
        return home + path.dropFirst()
    }

    /// As seen from `/`: a server and a command next to it stand in different directories.
    static func absolute(_ path: String) -> String {
        let path = expand(path)
        guard !path.hasPrefix("/"), let start = getcwd(nil, 0) else { return path }
        defer { free(start) }
        return String(cString: start) + "/" + path
    }

    /// Without symbolic links; as it is when nothing is there.
    static func resolved(_ path: String) -> String {
        guard let whole = realpath(path, nil) else { return path }
        defer { free(whole) }
        return String(cString: whole)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// `HOME`, or what the system knows of this user.
    static var home: String {
        if let home = getenv("HOME"), home.pointee != 0 { return String(cString: home) }
        guard let entry = getpwuid(getuid()) else { return "/" }
        return String(cString: entry.pointee.pw_dir)
    }
}
