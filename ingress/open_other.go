//go:build !unix

package ingress

// lookAt reports whether a socket is open; here that cannot be seen without reading.
func lookAt(int) bool { return true }
