package egress

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// forbidden are the addresses no push ever goes to: link-local ones, and those where clouds serve the
// credentials of the machine.
var forbidden = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), // link-local, with the metadata service of most clouds
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("192.0.0.192/32"),
	netip.MustParsePrefix("224.0.0.0/4"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("fd20:ce::/32"),
	netip.MustParsePrefix("ff00::/8"),
	netip.MustParsePrefix("::/128"),
}

// addressAllowed looks at an address that is about to be dialled. IPv4 addresses inside IPv6 ones (mapped,
// compatible, NAT64, 6to4, Teredo) are judged as the IPv4 address they lead to.
func addressAllowed(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	for _, p := range forbidden {
		if p.Contains(a) {
			return false
		}
	}
	if a.Is6() {
		if inner, ok := embeddedIPv4(a); ok && !inner.IsLoopback() {
			return addressAllowed(inner)
		}
	}
	return true
}

func embeddedIPv4(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	at := func(i int) (netip.Addr, bool) { return netip.AddrFrom4([4]byte(b[i : i+4])), true }
	switch {
	case b[0] == 0x00 && b[1] == 0x64 && b[2] == 0xff && b[3] == 0x9b: // NAT64
		return at(12)
	case b[0] == 0x20 && b[1] == 0x02: // 6to4
		return at(2)
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0: // Teredo: the client's address, inverted
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	case [12]byte(b[:12]) == [12]byte{} && !a.IsLoopback(): // IPv4-compatible
		return at(12)
	}
	return netip.Addr{}, false
}

// dialer connects to endpoints. The address is checked when it is really dialled, behind every look-up.
type dialer struct {
	timeout time.Duration // of one connection, with its look-up and its TLS handshake
	tls     *tls.Config
}

func newDialer(connectTimeout time.Duration, config *tls.Config) *dialer {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ClientSessionCache == nil {
		config = config.Clone()
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1024)
	}
	return &dialer{timeout: connectTimeout, tls: config}
}

// checkAddress is called by the net package with the address it is about to connect to.
func checkAddress(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("egress: dial %s: %w", address, err)
	}
	if !addressAllowed(ap.Addr()) {
		return fmt.Errorf("egress: dial %s: %w", address, ErrAddressForbidden)
	}
	return nil
}

func (d *dialer) dial(ctx context.Context, ep *endpoint) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	nc, err := ep.egress.opts.Dial(ctx, "tcp", ep.address)
	if err != nil || !ep.secure {
		return nc, err
	}
	config := d.tls.Clone()
	config.ServerName = ep.serverName
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("egress: TLS with %s: %w", ep.address, err)
	}
	return tc, nil
}
