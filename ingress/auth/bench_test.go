package auth

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"fanfare/ingress"
)

// cpuNanos is what the process has used of the processor: a busy machine does not change it as it does the time.
func cpuNanos(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

// BenchmarkVerify verifies a Publish as the SDK for Go signs it.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []int{114, 1 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("body=%d", size), func(b *testing.B) {
			body := publishes + strings.Repeat("a", size-len(publishes))
			wire := post(body).With("Amz-Sdk-Invocation-Id", "2ee1aef6-dd43-4ac5-b0a0-b4c2ebcc0d3f").With("Amz-Sdk-Request", "attempt=1; max=3").
				With("Content-Length", fmt.Sprint(size)).Sign()
			r, ok := read(wire)
			if !ok {
				b.Fatal("not readable")
			}
			h := ingress.ParseHead(&r.Header)
			s := NewSigV4(keyring, "sns")
			b.SetBytes(int64(size))
			b.ReportAllocs()
			before := cpuNanos(b)
			for b.Loop() {
				if _, err := s.Verify(&h, r.Body(), signedAt); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuNanos(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
