package ingress

import "errors"

// ErrorTable says what each of the engine's errors is in the words of a face.
type ErrorTable[T any] []struct {
	Err error
	As  T
}

// Find returns the words for an error, or the others when the table has none for it.
func (t ErrorTable[T]) Find(err error, others T) T {
	for i := range t {
		if errors.Is(err, t[i].Err) {
			return t[i].As
		}
	}
	return others
}
