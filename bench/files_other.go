//go:build !unix

package bench

func idleConnsMax() int { return 1000 }
