package filter

import (
	"net/netip"
	"testing"
)

var addressSeeds = []string{
	"1.2.3.4", "255.255.255.255", "0.0.0.0", "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "",
	"::", "::1", "1::", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::2::3", "1:2:3:4:5:6:7:8:9",
	":::", ":1", "1:", "1:2:3:4:5:6:1.2.3.4", "::ffff:1.2.3.4", "::1.2.3.4:5", "1.2.3.4::", "12345::", "::g", "fe80::1%eth0",
	"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
}

func FuzzAddress(f *testing.F) {
	for _, seed := range addressSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := netip.ParseAddr(text)
		a, ok := parseAddress([]byte(text))
		if ok != (err == nil && want.Zone() == "") {
			t.Fatalf("%q: got %v, %v, want %v, %v", text, a, ok, want, err)
		}
		if ok && string(a.bytes[:a.size]) != string(want.AsSlice()) {
			t.Fatalf("%q: got %v, want %v", text, a, want)
		}
	})
}
