package ingress

import (
	"cmp"
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
	o.ConnectionsMax = cmp.Or(o.ConnectionsMax, 65_536)
	o.HeaderBytesMax = cmp.Or(o.HeaderBytesMax, 16<<10)
	o.HeadTimeout = cmp.Or(o.HeadTimeout, 10*time.Second)
	o.BodyTimeout = cmp.Or(o.BodyTimeout, time.Minute)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 30*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 3*time.Minute)
}
