package egress

import "sync/atomic"

type counters struct {
	delivered, failed, refused, expired, buried, missing atomic.Uint64
}

// Stats counts what became of deliveries since the start.
type Stats struct {
	Delivered uint64 // acknowledged
	Failed    uint64 // attempts that failed and are worth another
	Refused   uint64 // refused for good by the endpoint
	Expired   uint64 // not delivered within their time to live
	Buried    uint64 // written to the dead letters
	Missing   uint64 // sequences the store had no readable record for

	IdleConnections int
	HeldBytes       int64 // of messages in all lanes
}

// Stats returns the current figures.
func (g *Egress) Stats() Stats {
	return Stats{
		Delivered:       g.stats.delivered.Load(),
		Failed:          g.stats.failed.Load(),
		Refused:         g.stats.refused.Load(),
		Expired:         g.stats.expired.Load(),
		Buried:          g.stats.buried.Load(),
		Missing:         g.stats.missing.Load(),
		IdleConnections: int(g.idleConns.Load()),
		HeldBytes:       g.held.Load(),
	}
}
