package rocketmq

import "github.com/rs/zerolog"

// Options of a Face. The zero value works.
type Options struct {
	Log zerolog.Logger // silent by default
}

// Validate reports every bad option at once; there is none that could be bad.
func (o Options) Validate() error { return nil }
