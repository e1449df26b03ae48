package dms

import "github.com/rs/zerolog"

// Options of the face. The zero value works.
type Options struct {
	Log zerolog.Logger // silent by default
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error { return nil }
