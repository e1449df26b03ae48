package sign

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"sync"
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// plainKind is a kind for the fixture; what it renders is of no interest.
type plainKind struct{ egress.Kind }

func (plainKind) Name() string                           { return "plain" }
func (plainKind) Check(*engine.SubscriptionConfig) error { return nil }

const ordersARN = "arn:aws:sns:us-east-1:000000000000:orders"

// commit returns a message as lanes get it, of a fixed id and time.
func commit(t testing.TB, fill func(m *engine.Message)) *engine.Message {
	t.Helper()
	f := kindtest.NewFixture(t, plainKind{}, "orders", engine.SubscriptionConfig{Name: "s", Endpoint: "http://127.0.0.1:9/", Envelope: "e"})
	return f.Commit(t, fill)
}

func notification(m *engine.Message) *Content {
	return &Content{Message: m, TopicARN: ordersARN, Text: m.Body()}
}

// sharedText is one generated key for the tests that need any: making one takes a while.
var sharedText = sync.OnceValues(generate)

func newSigner(t testing.TB, opts Options) *Signer {
	t.Helper()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sharedText()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPair(text, text)
	if err != nil {
		t.Fatal(err)
	}
	s.use(p)
	return s
}

// members is what AppendMembers appends.
type members struct{ SignatureVersion, Signature, SigningCertURL string }

func readMembers(t testing.TB, text []byte) (m members) {
	t.Helper()
	object, ok := bytes.CutPrefix(text, []byte(","))
	if err := json.Unmarshal([]byte("{"+string(object)+"}"), &m); !ok || err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return m
}

// verify checks a signature as a receiver does, with nothing but the certificate.
func verify(certificate []byte, version, signature string, canonical []byte) error {
	block, _ := pem.Decode(certificate)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return err
	}
	if version == "2" {
		sum := sha256.Sum256(canonical)
		return rsa.VerifyPKCS1v15(c.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], raw)
	}
	sum := sha1.Sum(canonical)
	return rsa.VerifyPKCS1v15(c.PublicKey.(*rsa.PublicKey), crypto.SHA1, sum[:], raw)
}
