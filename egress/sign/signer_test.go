package sign

import (
	"crypto/rsa"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"fanfare/engine"
)

func hello(m *engine.Message) { m.Set(engine.FieldBody, []byte("hello")) }

func TestMembers(t *testing.T) {
	const base = "http://127.0.0.1:8080"
	f := func(url string, v Version, want string) {
		t.Helper()
		s := newSigner(t, Options{URL: url})
		name := s.pairs.Load().name
		c := notification(commit(t, hello))
		text := s.AppendMembers([]byte("before"), v, c, []byte(base))
		got := readMembers(t, text[len("before"):])
		if want := strings.ReplaceAll(want, "NAME", name); got.SigningCertURL != want {
			t.Errorf("%s: SigningCertURL is %s, want %s", url, got.SigningCertURL, want)
		}
		if got.SignatureVersion != fmt.Sprint(v) {
			t.Errorf("SignatureVersion is %s, want %d", got.SignatureVersion, v)
		}
		certificate := s.Certificate([]byte(name))
		if err := verify(certificate, got.SignatureVersion, got.Signature, c.AppendCanonical(nil)); err != nil {
			t.Errorf("version %d: %v", v, err)
		}
		if err := verify(certificate, got.SignatureVersion, got.Signature, append(c.AppendCanonical(nil), 'x')); err == nil {
			t.Errorf("version %d: another text has the same signature", v)
		}
	}
	for _, v := range []Version{Version1, Version2} {
		f("", v, base+"/NAME")
		f("https://sns.us-east-1.amazonaws.com", v, "https://sns.us-east-1.amazonaws.com/NAME")
		f("https://sns.us-east-1.amazonaws.com/", v, "https://sns.us-east-1.amazonaws.com/NAME")
		f("https://h/certificates/ours.pem", v, "https://h/certificates/ours.pem")
	}
}

// TestOnce is the point of the package: the same document is signed once, and every other one anew.
func TestOnce(t *testing.T) {
	s := newSigner(t, Options{})
	signatures := map[string]string{} // to what they are of
	f := func(name string, fresh bool, v Version, c *Content) {
		t.Helper()
		before := s.Signings()
		got := readMembers(t, s.AppendMembers(nil, v, c, nil))
		if made := s.Signings() - before; (made == 1) != fresh || made > 1 {
			t.Errorf("%s: %d signatures were made", name, made)
		}
		canonical := fmt.Sprint(v) + " " + string(c.AppendCanonical(nil))
		if was, ok := signatures[got.Signature]; ok == fresh || ok && was != canonical {
			t.Errorf("%s: the signature is that of %q", name, was)
		}
		signatures[got.Signature] = canonical
	}
	structured := func(m *engine.Message) {
		hello(m)
		m.Set(engine.FieldStructure, []byte(`{"default":"hello","http":"h","https":"s"}`))
	}
	m := commit(t, structured)
	f("first", true, Version1, notification(m))
	f("again", false, Version1, notification(m))
	f("another version", true, Version2, notification(m))
	f("and again", false, Version2, notification(m))

	other := notification(m)
	other.TopicARN = strings.Replace(ordersARN, "us-east-1", "eu-west-1", 1)
	f("another ARN", true, Version1, other)
	f("another ARN again", false, Version1, other)

	for _, text := range []string{"h", "s", "hello"} { // even one that says what the body says may be signed once more
		byProtocol := notification(m)
		byProtocol.Text = []byte(text)
		before := s.Signings()
		for range 2 {
			got := readMembers(t, s.AppendMembers(nil, Version1, byProtocol, nil))
			if err := verify(s.pairs.Load().certificate, "1", got.Signature, byProtocol.AppendCanonical(nil)); err != nil {
				t.Errorf("text %s: %v", text, err)
			}
		}
		if made := s.Signings() - before; made != 1 {
			t.Errorf("text %s: %d signatures were made", text, made)
		}
	}

	// The same message read from the store, as a lane that lags gets it, and one that says something else under its id.
	f("read from the store", false, Version1, notification(commit(t, structured)))
	f("the id of another", true, Version1, notification(commit(t, func(m *engine.Message) {
		structured(m)
		m.Set(engine.FieldSubject, []byte("s"))
	})))
}

// TestPooledMessageIsNotMistaken lets the memory of a message be used by the next one.
func TestPooledMessageIsNotMistaken(t *testing.T) {
	s := newSigner(t, Options{})
	for i := range 50 {
		t.Run("", func(t *testing.T) { // whose end releases the message
			m := commit(t, func(m *engine.Message) { m.Set(engine.FieldBody, fmt.Appendf(nil, "number %2d", i)) })
			c := notification(m)
			got := readMembers(t, s.AppendMembers(nil, Version1, c, nil))
			if err := verify(s.pairs.Load().certificate, "1", got.Signature, c.AppendCanonical(nil)); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		})
	}
	if s.Signings() != 50 {
		t.Errorf("%d signatures for 50 messages", s.Signings())
	}
}

// TestTogether lets many ask for few documents at once, in a cache that has room for all of them and in one that has
// not even room for those that are being made.
func TestTogether(t *testing.T) {
	const documentsMax = 2 * ways
	contents := make([]*Content, documentsMax)
	wants := make([]string, documentsMax)
	reference := newSigner(t, Options{})
	for i := range contents {
		m := commit(t, func(m *engine.Message) { m.Set(engine.FieldBody, fmt.Appendf(nil, "number %d", i)) })
		contents[i] = notification(m)
		wants[i] = string(reference.AppendMembers(nil, Version1, contents[i], nil))
	}
	f := func(entries, documents, lanes, stride int, exactly bool) {
		s := newSigner(t, Options{Entries: entries, Parallel: 1 + stride})
		var start, ended sync.WaitGroup
		start.Add(1)
		for lane := range lanes {
			ended.Go(func() {
				start.Wait()
				for i := range documents {
					i = (i + lane*stride) % documents
					if got := string(s.AppendMembers(nil, Version1, contents[i], nil)); got != wants[i] {
						t.Errorf("document %d: got %s, want %s", i, got, wants[i])
					}
				}
			})
		}
		start.Done()
		ended.Wait()
		if made := s.Signings(); exactly && made != uint64(documents) || made < uint64(documents) {
			t.Errorf("%d entries: %d signatures were made for %d documents", entries, made, documents)
		}
	}
	f(1024, 8, 64, 0, true) // all want the same at the same time
	f(1024, 8, 64, 1, true) // each wants another one first
	f(1, ways, 64, 1, true) // one set, exactly full
	f(1, documentsMax, 16, 1, false)
}

// TestEvicted bounds what is remembered.
func TestEvicted(t *testing.T) {
	s := newSigner(t, Options{Entries: ways})
	var contents []*Content
	for i := range ways + 1 {
		contents = append(contents, notification(commit(t, func(m *engine.Message) { m.Set(engine.FieldBody, []byte{byte('a' + i)}) })))
	}
	made := func(i int) bool {
		before := s.Signings()
		s.AppendMembers(nil, Version1, contents[i], nil)
		return s.Signings() > before
	}
	for i := range ways {
		if !made(i) {
			t.Errorf("document %d was not signed", i)
		}
	}
	if made(0) {
		t.Error("the first was signed twice although all fit")
	}
	if !made(ways) {
		t.Error("one too many was not signed")
	}
	if made(0) {
		t.Error("one that was used lately was dropped")
	}
	if !made(1) {
		t.Error("the one that was used longest ago is still there: the cache has no bound")
	}
}

// TestFailedSigningIsNoSignature leaves room and waiting to those that come later.
func TestFailedSigningIsNoSignature(t *testing.T) {
	s := newSigner(t, Options{})
	key := s.pairs.Load().key
	s.pairs.Load().key = &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: big.NewInt(15), E: 3}, D: big.NewInt(3)} // far too small
	c := notification(commit(t, hello))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got := s.AppendMembers([]byte("x"), Version1, c, nil); string(got) != "x" {
				t.Errorf("got %s", got)
			}
		})
	}
	all.Wait()
	s.pairs.Load().key = key
	if got := s.AppendMembers(nil, Version1, c, nil); len(got) == 0 {
		t.Error("nothing is signed any more")
	}
}
