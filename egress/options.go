package egress

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/rs/zerolog"
)

// Options of an Egress. The zero value works but for the kinds.
type Options struct {
	Kinds []Kind         // what subscriptions may speak; at least one
	Log   zerolog.Logger // silent by default
	TLS   *tls.Config    // for https endpoints; default: the system's roots, TLS 1.2 and later

	// Dial opens the connections to endpoints, below TLS; address is a host or an IP address, with a port. The
	// default resolves the name by Resolver and refuses forbidden addresses when it really dials them: who gives
	// another takes that over.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Resolver *net.Resolver // of the default Dial; default: the system's

	ConnectTimeout   time.Duration // of one connection, with its TLS handshake; default 5 s
	IdleConnTimeout  time.Duration // how long an unused connection is kept; default 30 s
	IdleConnsMax     int           // unused connections kept, in all; default 8192
	WindowMessages   int           // messages a lane holds; default 1024, at least 2
	WindowBytes      int           // bytes a lane holds, one message at least; default 4 MiB
	ProgressInterval time.Duration // how often progress is saved; default 25 ms
	BreakerFailures  int           // failures in a row that pause a lane; default 10
	BreakerDelayMax  time.Duration // the longest time between two probes of a paused lane that did not ask for more; default 30 s
}

func (o *Options) setDefaults() {
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Control: checkAddress, Resolver: o.Resolver}).DialContext
	}
	o.IdleConnTimeout = cmp.Or(o.IdleConnTimeout, 30*time.Second)
	o.IdleConnsMax = cmp.Or(o.IdleConnsMax, 8192)
	o.WindowMessages = cmp.Or(o.WindowMessages, 1024)
	o.WindowBytes = cmp.Or(o.WindowBytes, 4<<20)
	o.ProgressInterval = cmp.Or(o.ProgressInterval, 25*time.Millisecond)
	o.BreakerFailures = cmp.Or(o.BreakerFailures, 10)
	o.BreakerDelayMax = cmp.Or(o.BreakerDelayMax, 30*time.Second)
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("egress: "+format, args...))
		}
	}
	check(len(o.Kinds) > 0, "no kinds")
	check(o.ConnectTimeout > 0, "ConnectTimeout must be positive")
	check(o.IdleConnTimeout > 0, "IdleConnTimeout must be positive")
	check(o.WindowMessages >= 2, "WindowMessages must be at least 2")
	check(o.WindowBytes > 0, "WindowBytes must be positive")
	check(o.ProgressInterval > 0, "ProgressInterval must be positive")
	check(o.BreakerFailures > 0, "BreakerFailures must be positive")
	return errors.Join(faults...)
}
