//go:build invariant || race

package invariant

// Enabled says whether the expensive checks are compiled in.
const Enabled = true

// Poison overwrites released memory, so that a late reader sees nonsense at once.
func Poison(b []byte) {
	b = b[:cap(b)]
	for i := range b {
		b[i] = 0xDB
	}
}
