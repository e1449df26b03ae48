package egress

import (
	"net/netip"
	"testing"

	"fanfare/engine"
)

func TestAddressPolicy(t *testing.T) {
	f := func(address string, want bool) {
		t.Helper()
		if got := addressAllowed(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: allowed %v, want %v", address, got, want)
		}
	}
	for _, a := range []string{
		"127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "8.8.8.8", "2606:4700::1111", "fd12:3456::1", "::ffff:10.0.0.1",
		"100.100.100.199", "64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8",
	} {
		f(a, true)
	}
	for _, a := range []string{
		"169.254.169.254", "169.254.0.1", "100.100.100.200", "192.0.0.192", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255",
		"fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254", "::", "ff02::1",
		"::ffff:169.254.169.254",   // mapped
		"::169.254.169.254",        // compatible
		"64:ff9b::169.254.169.254", // NAT64
		"2002:a9fe:a9fe::1",        // 6to4
		"2001:0:1:2:3:4:5601:5601", // Teredo
		"::ffff:100.100.100.200",
		"::ffff:0:169.254.169.254", // translated
		"64:ff9b:1:a9fe:a9:fe00::", // NAT64 of a local network
		"64:ff9b:1::169.254.169.254",
		"2001:db8::5efe:169.254.169.254", // ISATAP
		"2001:db8::200:5efe:169.254.1.1",
	} {
		f(a, false)
	}
}

func TestBackoffStaysInItsBounds(t *testing.T) {
	p := defaultPolicy()
	for attempts := 1; attempts < 100; attempts++ {
		top := p.Wait(attempts)
		if top < p.MinDelay || top > p.MaxDelay {
			t.Errorf("after %d attempts the longest wait is %v", attempts, top)
		}
		for range 20 {
			if d := backoff(&p, attempts, 0); d <= 0 || d > top+1e6 {
				t.Errorf("after %d attempts: wait %v, at most %v", attempts, d, top)
			}
		}
	}
	if d := backoff(&p, 1, p.MaxDelay/2); d < p.MaxDelay/2 {
		t.Errorf("wait %v, the endpoint asked for %v", d, p.MaxDelay/2)
	}
	if d := backoff(&p, 1, 2*p.MaxDelay); d != p.MaxDelay {
		t.Errorf("wait %v, no more than %v is granted", d, p.MaxDelay)
	}
}

func defaultPolicy() engine.RetryPolicy {
	var c engine.SubscriptionConfig
	c.SetDefaults()
	return c.Retry
}
