package main

import "runtime"

// set tells the runtime. A rate of 0 leaves the profile empty and costs nothing.
func (p profilingConfig) set() {
	runtime.SetMutexProfileFraction(p.MutexFraction)
	runtime.SetBlockProfileRate(p.BlockRateNS)
}
