package auth

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/auth/authtest"
)

// Cases of TestForged besides one for each bit of each request. The long form is chosen by FANFARE_LONG=1.
const (
	forgeries     = 20_000
	forgeriesLong = 1_000_000
)

// TestForged changes signed requests: each bit of them, and then at random: bytes replaced, put in and left out, lines
// doubled, dropped and moved. What is still accepted must say what the signed request said.
func TestForged(t *testing.T) {
	count, rng := forgeries, rand.New(rand.NewPCG(25, 26))
	if os.Getenv("FANFARE_LONG") == "1" {
		count = forgeriesLong
	}
	sized := post(publishes).With("Content-Length", fmt.Sprint(len(publishes)))
	requests := [][]byte{
		sized.With("X-Amz-Content-Sha256", authtest.Hash(publishes)).With("amz-sdk-request", "attempt=1; max=3").Sign(),
		sized.Sign(),
		get("/?Action=Subscribe&Version=2010-03-31&Endpoint=http%3A%2F%2Fh%2Fa+b").Presign(60),
	}
	cases, same := 0, 0
	check := func(good, changed []byte) {
		cases++
		r, ok := read(changed)
		if !ok {
			return
		}
		h := ingress.ParseHead(&r.Header)
		if _, err := NewSigV4(keyring, "sns").Verify(&h, r.Body(), signedAt); err != nil {
			return
		}
		same++
		if signed, _ := read(good); meaning(signed) != meaning(r) {
			t.Errorf("accepted:\n%q\nalthough what was signed is\n%q", changed, good)
		}
	}
	for _, good := range requests {
		if got := verifyAt(t, keyring, good, signedAt); got != "" {
			t.Fatal(got)
		}
		for i := range good {
			for bit := range 8 {
				changed := bytes.Clone(good)
				changed[i] ^= 1 << bit
				check(good, changed)
			}
		}
	}
	for range count {
		good := requests[rng.IntN(len(requests))]
		check(good, forge(rng, good))
	}
	t.Logf("%d cases, of which %d say the same and are accepted", cases, same)
	if same == 0 || same > cases/4 {
		t.Errorf("%d of %d cases were accepted", same, cases)
	}
}

// forge changes a request in one way.
func forge(rng *rand.Rand, good []byte) []byte {
	b, i := bytes.Clone(good), rng.IntN(len(good))
	lines := bytes.SplitAfter(b, []byte("\r\n"))
	line := rng.IntN(max(1, len(lines)-2))
	switch rng.IntN(7) {
	case 0:
		b[i] = byte(rng.Uint32())
	case 1:
		b = slices.Insert(b, i, byte(rng.Uint32()))
	case 2:
		b = slices.Delete(b, i, min(len(b), i+1+rng.IntN(3)))
	case 3: // a printable one: more of them get through the parser
		b[i] = " \t;,:=/&%+aZ0"[rng.IntN(13)]
	case 4:
		doubled := bytes.Clone(lines[line])
		doubled[rng.IntN(len(doubled))] ^= 1
		b = bytes.Join(slices.Insert(lines, line, doubled), nil)
	case 5:
		b = bytes.Join(slices.Delete(lines, line, line+1), nil)
	case 6:
		other := rng.IntN(max(1, len(lines)-2))
		lines[line], lines[other] = lines[other], lines[line]
		b = bytes.Join(lines, nil)
	}
	return b
}

// meaning is what a face can read of a request, in the words of fasthttp: method, path, parameters, body, and the header
// fields that the requests here sign.
func meaning(r *fasthttp.Request) string {
	var b strings.Builder
	h := ingress.ParseHead(&r.Header)
	values, err := url.ParseQuery(string(h.Query))
	fmt.Fprintf(&b, "%s %s %v %v\n", h.Method, h.Path, values, err)
	for _, name := range []string{"Host", "Content-Type", "X-Amz-Date", "X-Amz-Content-Sha256", "Amz-Sdk-Request"} {
		for _, value := range r.Header.PeekAll(name) {
			fmt.Fprintf(&b, "%s: %q\n", name, strings.Fields(string(value)))
		}
	}
	fmt.Fprintf(&b, "%q", r.Body())
	return b.String()
}

// FuzzSigV4 tries to get anything accepted but the one good request. The oracle of the query is another program.
func FuzzSigV4(f *testing.F) {
	good := post(publishes).Sign()
	_, value, _ := strings.Cut(string(good), "Authorization: ")
	authorization, _, _ := strings.Cut(value, "\r\n")
	f.Add(authorization, signedAt.Format(authtest.DateForm), "", publishes)
	f.Add(authorization, "20260102T030406Z", "a=1&b", "")
	f.Add("AWS4-HMAC-SHA256 Credential=/////,,=,Signature", "Z", "%zz&X-Amz-Signature=&X-Amz-Credential=%2f%2f%2f%2f", "")
	_, presigned, _ := strings.Cut(vectorB, "?")
	presigned, _, _ = strings.Cut(presigned, " ")
	f.Add("", "", presigned, "")
	f.Fuzz(func(t *testing.T, authorization, date, query, body string) {
		if strings.ContainsAny(authorization+date+query, "\r\n\x00") || strings.ContainsAny(query, " #") {
			return
		}
		wire := dated(to(post(body), "POST", "/?"+query), date)
		r, ok := read(wire.Wire(authorization))
		if !ok {
			return
		}
		h := ingress.ParseHead(&r.Header)
		who, err := NewSigV4(keyring, "sns").Verify(&h, r.Body(), signedAt)
		var v verification
		if v.readQuery(h.Query) == nil {
			if got, want := string(v.appendQuery(nil)), authtest.CanonicalQuery(string(h.Query)); got != want {
				t.Errorf("query %q: got %q, want %q", h.Query, got, want)
			}
		}
		same := body == publishes && len(v.pairs) == 0 && strings.TrimSpace(date) == signedAt.Format(authtest.DateForm)
		if (err == nil) != (who != nil) || err == nil && !same {
			t.Errorf("%q: %v, %v", wire.Wire(authorization), who, err)
		}
	})
}
