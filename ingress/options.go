package ingress

import (
	"time"

	"github.com/rs/zerolog"
)

// Options of a Server. The zero value works.
type Options struct {
	Log zerolog.Logger // silent by default

	ConnectionsMax int           // open at one time; default 65,536
	HeaderBytesMax int           // of one request, with its first line; default 16 KiB
	HeadTimeout    time.Duration // for the head, and for a small body with it; default 10 s
	BodyTimeout    time.Duration // for a body of more than 64 KiB; default 60 s
	WriteTimeout   time.Duration // for the reply; default 30 s
	IdleTimeout    time.Duration // between two requests of a connection; default 3 min
}

func (o *Options) setDefaults() {
	setDefault(&o.ConnectionsMax, 65_536)
	setDefault(&o.HeaderBytesMax, 16<<10)
	setDefault(&o.HeadTimeout, 10*time.Second)
	setDefault(&o.BodyTimeout, time.Minute)
	setDefault(&o.WriteTimeout, 30*time.Second)
	setDefault(&o.IdleTimeout, 3*time.Minute)
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}
