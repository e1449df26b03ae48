package egress

// What all lanes hold together is bounded too: a lane that finds no memory left waits, like one whose own window
// is full, until others have given some back.

// reserve takes memory for a message, if there is enough.
func (g *Egress) reserve(size int) bool {
	if g.held.Add(int64(size)) <= g.opts.MemoryBytes {
		return true
	}
	g.held.Add(int64(-size))
	return false
}

// unreserve gives memory back. Lanes that wait for it are woken when there is an eighth of all again, rather than
// one by one.
func (g *Egress) unreserve(size int) {
	g.held.Add(int64(-size))
	if g.starving.Load() > 0 && !g.windowFull() {
		for _, w := range g.workers {
			signal(w.feedWake)
		}
	}
}

// windowFull reports whether too little memory is left for lanes to be woken.
func (g *Egress) windowFull() bool { return g.held.Load() > g.opts.MemoryBytes-g.opts.MemoryBytes/8 }
