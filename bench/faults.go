package bench

import "fmt"

// faults collects everything that is wrong with options.
type faults []error

// check adds a fault unless all is well.
func (f *faults) check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}
