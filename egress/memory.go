package egress

// share is how many bytes one lane may hold now: a quarter of what nobody holds yet. So whatever the number of lanes
// that fill their share and keep it, there is always some left, and as much for the next lane as each of them has;
// with n of them all together hold n/(n+4) of the budget. A lane that holds nothing may take one message all the
// same.
func (g *Egress) share() int { return int(max(0, g.opts.MemoryBytes-g.held.Load()) / 4) }
