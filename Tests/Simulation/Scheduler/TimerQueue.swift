/// Times in order, and in a random order where they are equal: a binary heap.
struct TimerQueue {
    struct Timer {
        var at: Duration
        var tie: UInt64
        var id: Int

        static func < (a: Timer, b: Timer) -> Bool {
            (a.at, a.tie, a.id) < (b.at, b.tie, b.id)
        }
    }

    private var heap: [Timer] = []

    var first: Timer? { heap.first }

    mutating func add(_ timer: Timer) {
        heap.append(timer)
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index] < heap[parent] else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var index = 0
        while true {
            let left = 2 * index + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right] < heap[left] ? right : left
            guard heap[child] < heap[index] else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}
