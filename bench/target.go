package bench

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// target is the address of a server under test, taken apart once.
type target struct {
	addr   string // host and port to dial
	host   string // of the Host header
	prefix string // of every path; empty, or begins with '/' and has none at its end
	tls    bool
}

func parseTarget(raw string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("target: %w", err)
	}
	port := ""
	switch u.Scheme {
	case "http":
		port = "80"
	case "https":
		port = "443"
	default:
		return target{}, fmt.Errorf("target: %q is no http or https URL", raw)
	}
	if u.Hostname() == "" {
		return target{}, fmt.Errorf("target: %q names no host", raw)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return target{}, errors.New("target: query, fragment and user are not allowed")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return target{
		addr:   net.JoinHostPort(u.Hostname(), port),
		host:   u.Host,
		prefix: strings.TrimRight(u.EscapedPath(), "/"),
		tls:    u.Scheme == "https",
	}, nil
}
