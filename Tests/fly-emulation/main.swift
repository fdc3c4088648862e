import FlyEmulation
import Foundation

// Runs the emulation of Fly.io by hand, until it is ended:
//
//     swift run fly-emulation
//
// Prints the variables that make pal talk to it.

let fly = try FlyEmulation()
try await fly.start()
print(
    """
    export FLY_API_TOKEN=fm2_test
    export FLY_FLAPS_BASE_URL=\(fly.origin)
    export FLY_API_BASE_URL=\(fly.origin)
    """)
fflush(nil)
while true { try await Task.sleep(for: .seconds(3600)) }
