package visibility

// item is what a heap holds. It knows which of two comes first, and keeps its place in the heap, -1 when it is in none.
type item[T any] interface {
	isBefore(other T) bool
	place() *int
}

// heapOf is a heap for the package container/heap, whose items know their places.
type heapOf[T item[T]] []T

func (h heapOf[T]) Len() int           { return len(h) }
func (h heapOf[T]) Less(i, j int) bool { return h[i].isBefore(h[j]) }

func (h heapOf[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	*h[i].place(), *h[j].place() = i, j
}

func (h *heapOf[T]) Push(x any) {
	e := x.(T)
	*e.place() = len(*h)
	*h = append(*h, e)
}

func (h *heapOf[T]) Pop() any {
	old := *h
	last := len(old) - 1
	e := old[last]
	clear(old[last:])
	*h = old[:last]
	*e.place() = -1
	return e
}
