package egress_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// Endpoints to which there is no connection.
func TestHostileConnects(t *testing.T) {
	f := func(name string, opts egress.Options, endpoint, failure string) {
		t.Run(name, func(t *testing.T) {
			opts.ConnectTimeout = 200 * time.Millisecond
			suffer(t, opts, engine.SubscriptionConfig{Endpoint: endpoint}, "hello").buried(t, failure)
		})
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	ln.Close()
	f("refuses", egress.Options{}, "http://"+nobody, "connection refused")
	f("never accepts", egress.Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}, "http://"+nobody, "connect timed out")
	silent := kindtest.Listen(t, func(net.Conn) {})
	f("never shakes hands", egress.Options{}, "https"+strings.TrimPrefix(silent, "http"), "TLS: handshake timed out")
	dripping := kindtest.Listen(t, func(c net.Conn) {
		record := append([]byte{22, 3, 3, 64, 0}, make([]byte, 1<<14)...) // of a handshake, a byte at a time
		drip(c, func() error { _, err := c.Write(record[:1]); record = record[1:]; return err })
	})
	f("drips its hand shake", egress.Options{}, "https"+strings.TrimPrefix(dripping, "http"), "TLS: handshake timed out")
	eager := kindtest.Listen(t, babble("HTTP/1.1 400 This Is HTTP\r\n\r\n"))
	f("speaks HTTP at once", egress.Options{}, "https"+strings.TrimPrefix(eager, "http"), "TLS: the endpoint does not speak it")
	hung := kindtest.Listen(t, func(c net.Conn) { _ = c.Close() })
	f("hangs up", egress.Options{}, "https"+strings.TrimPrefix(hung, "http"), "TLS: handshake failed")
}

// babble says something without being asked.
func babble(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	}
}

// authority signs certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), pool: x509.NewCertPool()}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue returns a certificate for an address.
func (a *authority) issue(t *testing.T, ip string, from, until time.Duration) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
		IPAddresses: []net.IP{net.ParseIP(ip)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A push is only ever sent to who can prove to be its endpoint.
func TestHostileCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	f := func(name string, config *tls.Config, failure string) {
		t.Run(name, func(t *testing.T) {
			pushed := make(chan struct{}, 10)
			url := kindtest.Listen(t, func(c net.Conn) {
				tc := tls.Server(c, config)
				defer tc.Close()
				if _, err := request(tc); err == nil {
					pushed <- struct{}{}
					_, _ = io.WriteString(tc, ok200+"Content-Length: 0\r\n\r\n")
					_, _ = io.Copy(io.Discard, tc)
				}
			})
			sub := engine.SubscriptionConfig{Endpoint: "https" + strings.TrimPrefix(url, "http")}
			o := suffer(t, egress.Options{TLS: &tls.Config{RootCAs: ours.pool}}, sub, "hello")
			if failure == "" {
				o.delivered(t)
				return
			}
			o.buried(t, failure)
			if len(pushed) > 0 {
				t.Error("it was pushed all the same")
			}
		})
	}
	with := func(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }
	good := ours.issue(t, "127.0.0.1", -time.Hour, time.Hour)
	f("good", with(good), "")
	f("expired", with(ours.issue(t, "127.0.0.1", -time.Hour, -time.Minute)), "TLS: certificate has expired or is not valid yet")
	f("not valid yet", with(ours.issue(t, "127.0.0.1", time.Minute, time.Hour)), "TLS: certificate has expired or is not valid yet")
	f("of another", with(ours.issue(t, "127.0.0.9", -time.Hour, time.Hour)), "TLS: certificate is for another name")
	f("of an unknown authority", with(theirs.issue(t, "127.0.0.1", -time.Hour, time.Hour)), "TLS: certificate is signed by an unknown authority")
	f("signed by itself", with(tls.Certificate{Certificate: [][]byte{theirs.cert.Raw}, PrivateKey: theirs.key}), "TLS: certificate is for another name")
	f("asks for ours", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert}, "TLS: refused by the endpoint")
	f("an old version", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, "TLS: refused by the endpoint")
}

// An attempt through TLS has the same deadlines: an endpoint that does not read is let go of in time, farewell and all.
func TestHostileSilenceThroughTLS(t *testing.T) {
	ours := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "127.0.0.1", -time.Hour, time.Hour)}}
	f := func(name string, serve func(*tls.Conn), body, failure string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := kindtest.Listen(t, func(c net.Conn) {
				if tc := tls.Server(c, config); tc.Handshake() == nil {
					serve(tc)
				}
			})
			sub := engine.SubscriptionConfig{
				Endpoint: "https" + strings.TrimPrefix(url, "http"), Retry: engine.RetryPolicy{Timeout: 300 * time.Millisecond},
			}
			opts := egress.Options{TLS: &tls.Config{RootCAs: ours.pool}, WriteTimeout: 150 * time.Millisecond}
			o := suffer(t, opts, sub, body)
			o.overhead = 32 << 10 // the handshake, and a record that is read as a whole
			o.buried(t, failure)
		})
	}
	large := strings.Repeat("x", 8<<20)
	f("never reads", func(*tls.Conn) {}, large, "write timed out")
	f("never answers", func(c *tls.Conn) { _, _ = request(c) }, "hello", "no answer in time")
	f("endless", func(c *tls.Conn) { endlessly(ok200+"\r\n", "x")(c) }, "hello", "answer too large")
	f("drips", func(c *tls.Conn) {
		_, _ = request(c)
		drip(c, func() error { _, err := io.WriteString(c, "H"); return err })
	}, "hello", "no answer in time")
}
