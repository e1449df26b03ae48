package sns

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"fanfare/egress/sign"
	"fanfare/engine"
)

// sharedSigner is one for all tests: making a key takes a while.
var sharedSigner = sync.OnceValues(func() (*sign.Signer, error) {
	s, err := sign.New(sign.Options{})
	if err != nil {
		return nil, err
	}
	return s, s.Prepare()
})

func newSigner(t testing.TB) *sign.Signer {
	t.Helper()
	s, err := sharedSigner()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// received is a document as a receiver reads it, who knows nothing of how it was made.
type received struct {
	members map[string]json.RawMessage
	order   []string
}

func readDocument(t *testing.T, body []byte) received {
	t.Helper()
	r := received{members: map[string]json.RawMessage{}}
	d := json.NewDecoder(strings.NewReader(string(body)))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		r.members[name.(string)] = value
		r.order = append(r.order, name.(string))
	}
	return r
}

func (r received) text(name string) string {
	var text string
	if err := json.Unmarshal(r.members[name], &text); err != nil {
		return "not a text: " + string(r.members[name])
	}
	return text
}

// verify checks the signature with the certificate that the document names, by the vendor's description.
func (r received) verify(s *sign.Signer) error {
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if r.text("Type") != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	canonical := ""
	for _, name := range names {
		if _, ok := r.members[name]; ok {
			canonical += name + "\n" + r.text(name) + "\n"
		}
	}
	url := r.text("SigningCertURL")
	block, _ := pem.Decode(s.Certificate([]byte(url[strings.LastIndexByte(url, '/')+1:])))
	if block == nil {
		return fmt.Errorf("there is no certificate at %s", url)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(r.text("Signature"))
	if err != nil {
		return err
	}
	key := certificate.PublicKey.(*rsa.PublicKey)
	switch r.text("SignatureVersion") {
	case "1":
		sum := sha1.Sum([]byte(canonical))
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256([]byte(canonical))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	}
	return errors.New("no version")
}

const order = "Type MessageId TopicArn Subject Message Timestamp SignatureVersion Signature SigningCertURL UnsubscribeURL MessageAttributes"

func TestSignedDocuments(t *testing.T) {
	signer := newSigner(t)
	f := func(name, version, order string, fill func(m *engine.Message)) {
		t.Run(name+"/version="+version, func(t *testing.T) {
			e, m := pushTopic(t, Options{Signer: signer}, JSON, awsSubscription, map[string]string{labelSignatureVersion: version}, fill)
			body, _ := e.Body(nil, m)
			r := readDocument(t, body)
			if got := strings.Join(r.order, " "); got != order {
				t.Errorf("the members are %s, want %s", got, order)
			}
			if got := r.text("SignatureVersion"); got != version {
				t.Errorf("SignatureVersion is %s", got)
			}
			if got := r.text("SigningCertURL"); !strings.HasPrefix(got, "http://fanfare:4100/SimpleNotificationService-") {
				t.Errorf("SigningCertURL is %s", got)
			}
			if err := r.verify(signer); err != nil {
				t.Errorf("%v: %s", err, body)
			}
			again, _ := e.Body(nil, m)
			if string(again) != string(body) {
				t.Errorf("the second try has another body:\n%s\n%s", body, again)
			}
		})
	}
	for _, version := range []string{"1", "2"} {
		plain := strings.Replace(strings.Replace(order, " Subject", "", 1), " MessageAttributes", "", 1)
		f("plain", version, plain, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("hello")) })
		f("all", version, order, func(m *engine.Message) {
			m.Set(engine.FieldBody, []byte("line 1\nline 2 \"<&>\\\" é 😀"))
			m.Set(engine.FieldSubject, []byte("Süb\tject"))
			m.AddAttribute([]byte("a"), []byte("String"), []byte("v"), false)
		})
		f("empty", version, plain, func(m *engine.Message) {
			m.Set(engine.FieldBody, nil)
			m.Set(engine.FieldSubject, nil)
		})
		f("by protocol", version, plain, func(m *engine.Message) {
			m.Set(engine.FieldStructure, []byte(`{"default":"d","http":"h \u00e9\n\ud83d\ude00 \udead"}`))
			m.Set(engine.FieldBody, []byte("d"))
		})
		protocol := "Type MessageId Token TopicArn Message SubscribeURL Timestamp SignatureVersion Signature SigningCertURL"
		for _, kind := range []engine.MessageType{engine.SubscriptionConfirmation, engine.UnsubscribeConfirmation} {
			f(fmt.Sprint("type ", kind), version, protocol, func(m *engine.Message) {
				m.SetType(kind)
				m.Set(engine.FieldToken, []byte("0123456789abcdef"))
				m.Set(engine.FieldBody, []byte("You have chosen.\nTo confirm"))
			})
		}
	}
}

// odd is text as publishers of other faces send it: anything.
func odd(r *rand.Rand, most int) []byte {
	pieces := []string{
		"a", " ", "\n", "\r\n", "\x00", "\t", "\x1f", "\x7f", "\"", "\\", "/", "<&>", "é", "e\u0301", "\u2028\u2029", "\ufeff", "\ufffd", "\uffff",
		"😀", "👩‍👩‍👧", "\u202e", "\U0010ffff", "漢字", "\nType\nNotification\n", "\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
	}
	var text []byte
	for range r.IntN(most + 1) {
		text = append(text, pieces[r.IntN(len(pieces))]...)
	}
	return text
}

// TestOddTextsVerify reads each document back as a receiver does.
func TestOddTextsVerify(t *testing.T) {
	cases := 200
	if os.Getenv("FANFARE_LONG") != "" {
		cases = 5000
	}
	signer, seed := newSigner(t), rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range cases {
		version := fmt.Sprint(1 + i%2)
		e, m := pushTopic(t, Options{Signer: signer}, JSON, awsSubscription, map[string]string{labelSignatureVersion: version}, func(m *engine.Message) {
			m.SetType(engine.MessageType(i % 5 % 3))
			m.Set(engine.FieldBody, odd(r, 20))
			m.Set(engine.FieldToken, odd(r, 3))
			if r.IntN(2) == 0 {
				m.Set(engine.FieldSubject, odd(r, 4))
			}
		})
		body, _ := e.Body(nil, m)
		if err := readDocument(t, body).verify(signer); err != nil {
			t.Fatalf("case %d of seed %d: %v: %q", i, seed, err, body)
		}
	}
}

// TestWhatIsSigned is the setting: which documents have a signature.
func TestWhatIsSigned(t *testing.T) {
	signer := newSigner(t)
	f := func(opts Options, kind engine.MessageType, attribute, envelope, want string) {
		t.Helper()
		labels := map[string]string{}
		if attribute != "" {
			labels[labelSignatureVersion] = attribute
		}
		e, m := pushTopic(t, opts, envelope, awsSubscription, labels, func(m *engine.Message) {
			m.SetType(kind)
			m.Set(engine.FieldToken, []byte("ab"))
			m.Set(engine.FieldBody, []byte(`{"x":1}`))
		})
		body, _ := e.Body(nil, m)
		r := readDocument(t, body)
		got := ""
		if r.members["SignatureVersion"] != nil {
			got = r.text("SignatureVersion")
		}
		if n := strings.Count(string(body), "Sign"); got != want || n != 0 && got == "" {
			t.Errorf("always %v, type %d, attribute %q, %s: signed %q, want %q: %s", opts.SignAlways, kind, attribute, envelope, got, want, body)
		}
	}
	none, some, all := Options{}, Options{Signer: signer}, Options{Signer: signer, SignAlways: true}
	for kind, unasked := range map[engine.MessageType]string{engine.Notification: "", engine.SubscriptionConfirmation: "1", engine.UnsubscribeConfirmation: "1"} {
		f(none, kind, "", JSON, "")
		f(none, kind, "2", JSON, "")
		f(some, kind, "", JSON, unasked)
		f(some, kind, "1", JSON, "1")
		f(some, kind, "2", JSON, "2")
		f(all, kind, "", JSON, "1")
		f(all, kind, "2", JSON, "2")
		if kind != engine.Notification { // which are never raw
			f(all, kind, "2", Raw, "2")
		}
	}
	f(all, engine.Notification, "2", Raw, "")
}

// TestLanesShareOneSigning renders one message for many subscriptions at once.
func TestLanesShareOneSigning(t *testing.T) {
	signer, err := sign.New(sign.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, m := push(t, Options{}, JSON, nil, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("hello")) })
	kind := New(Options{Signer: signer, SignAlways: true, PublicURL: "http://h"})
	var lanes sync.WaitGroup
	for range 32 {
		other, _ := push(t, kind.opts, JSON, nil, func(m *engine.Message) { m.Set(engine.FieldBody, nil) })
		lanes.Go(func() {
			body, _ := other.Body(nil, m)
			if err := readDocument(t, body).verify(signer); err != nil {
				t.Error(err)
			}
		})
	}
	lanes.Wait()
	if n := signer.Signings(); n != 1 {
		t.Errorf("%d signatures were made for one message", n)
	}
}
