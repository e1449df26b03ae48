//go:build unix

package bench

import "syscall"

const filesSpare = 1000 // for everything but idle connections

// idleConnsMax is how many connections the limit of open files allows, for this process as for the server.
func idleConnsMax() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return filesSpare
	}
	return int(max(min(l.Cur, 1<<20), 2*filesSpare)) - filesSpare
}
