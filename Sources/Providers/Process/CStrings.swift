import Glibc

/// Swift strings as C's arrays of strings.
enum CStrings {
    /// Calls the body with an array that ends with a null pointer and lives as long as the call.
    static func with<R>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { buffer in
            // Never empty: the null pointer is in it.
            withExtendedLifetime(buffer) { body(buffer.baseAddress.unsafelyUnwrapped) }
        }
    }
}
