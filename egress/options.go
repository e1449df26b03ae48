package egress

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"

	"github.com/rs/zerolog"
)

// Options of an Egress. The zero value works but for the kinds.
type Options struct {
	Kinds []Kind         // what subscriptions may speak; at least one
	Log   zerolog.Logger // silent by default
	Queue QueueKind      // how dead letters get into a subscription's queue; default nil: those end on the built-in list
	TLS   *tls.Config    // for https endpoints; default: the system's roots, TLS 1.2 and later

	// Dial opens the connections to endpoints, below TLS; address is a host or an IP address, with a port. The
	// default resolves the name by Resolver and refuses forbidden addresses when it really dials them: who gives
	// another takes that over.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Resolver *net.Resolver // of the default Dial; default: the system's

	// An attempt takes ConnectTimeout, the subscription's timeout for the write, and the same for the answer, at
	// the most.
	ConnectTimeout   time.Duration // of one connection, with its look-up and its TLS handshake; default 5 s
	WriteTimeout     time.Duration // of a write that does not move; default 5 s
	IdleConnTimeout  time.Duration // how long an unused connection is kept; default 30 s
	ConnAgeMax       time.Duration // how long a connection is used, so that a new address is noticed; default 10 min
	IdleConnsMax     int           // unused connections kept, in all; default 8192
	Workers          int           // owners of lanes; default GOMAXPROCS
	WindowMessages   int           // messages a lane holds at the most; default 1024, at least 2
	WindowBytes      int           // bytes a lane holds, one message at least; default 4 MiB
	MemoryBytes      int64         // bytes all lanes hold together, beside one message each; default 256 MiB
	RetryScale       float64       // what every wait between attempts is multiplied by; default 1; for tests of subscribers
	ProgressInterval time.Duration // how often progress is saved; default 25 ms
	BreakerFailures  int           // failures in a row that pause a lane; default 10
	BreakerDelayMax  time.Duration // the longest time between two probes of a paused lane that did not ask for more; default 30 s
}

func (o *Options) setDefaults() {
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Control: checkAddress, Resolver: o.Resolver}).DialContext
	}
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 5*time.Second)
	o.IdleConnTimeout = cmp.Or(o.IdleConnTimeout, 30*time.Second)
	o.ConnAgeMax = cmp.Or(o.ConnAgeMax, 10*time.Minute)
	o.IdleConnsMax = cmp.Or(o.IdleConnsMax, 8192)
	o.Workers = cmp.Or(o.Workers, runtime.GOMAXPROCS(0))
	o.WindowMessages = cmp.Or(o.WindowMessages, 1024)
	o.WindowBytes = cmp.Or(o.WindowBytes, 4<<20)
	o.MemoryBytes = cmp.Or(o.MemoryBytes, 256<<20)
	o.RetryScale = cmp.Or(o.RetryScale, 1)
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
	check(o.WriteTimeout > 0, "WriteTimeout must be positive")
	check(o.IdleConnTimeout > 0, "IdleConnTimeout must be positive")
	check(o.ConnAgeMax > 0, "ConnAgeMax must be positive")
	check(o.Workers > 0, "Workers must be positive")
	check(o.WindowMessages >= 2, "WindowMessages must be at least 2")
	check(o.WindowBytes > 0, "WindowBytes must be positive")
	check(o.MemoryBytes >= int64(o.WindowBytes), "MemoryBytes must be at least WindowBytes")
	check(o.RetryScale > 0, "RetryScale must be positive")
	check(o.ProgressInterval > 0, "ProgressInterval must be positive")
	check(o.BreakerFailures > 0, "BreakerFailures must be positive")
	return errors.Join(faults...)
}
