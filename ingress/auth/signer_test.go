package auth

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

// The key and time of the vectors that the published examples use.
const (
	accessKey = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	publishes = "Action=Publish&Message=hello+world&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&Version=2010-03-31"
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

var (
	signedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	keyring  = NewKeyring([]Credential{{Name: "tester", AccessKey: accessKey, Secret: secretKey, Permissions: All}})
)

// request is one that a client signs: a signer of our own, as the description of the scheme has it, line by line.
type request struct {
	method, target string
	fields         [][2]string // sent in this order
	body           string
	unsigned       []string // names of fields that are sent and not signed
}

func post(body string, fields ...[2]string) request {
	all := [][2]string{
		{"Host", "127.0.0.1:4100"},
		{"Content-Type", "application/x-www-form-urlencoded"},
		{"X-Amz-Date", signedAt.Format(dateForm)},
	}
	return request{method: "POST", target: "/", fields: append(all, fields...), body: body}
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// signature signs a canonical request.
func signature(secret, date, region, service, canonical string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{date[:8], region, service, "aws4_request"} {
		key = mac(key, part)
	}
	scope := date[:8] + "/" + region + "/" + service + "/aws4_request"
	return hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+hash(canonical)))
}

// canonicalQuery sorts and encodes a query as the description says.
func canonicalQuery(t testing.TB, query string) string {
	t.Helper()
	var pairs []string
	for _, pair := range strings.Split(query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		var parts [2]string
		for i, text := range []string{key, value} {
			decoded, err := url.QueryUnescape(text)
			if err != nil {
				t.Fatal(err)
			}
			parts[i] = strings.ReplaceAll(url.QueryEscape(decoded), "+", "%20")
		}
		pairs = append(pairs, parts[0]+"\x00"+parts[1]) // below all that is encoded: keys are compared first
	}
	slices.Sort(pairs)
	return strings.ReplaceAll(strings.Join(pairs, "&"), "\x00", "=")
}

// names returns the signed names, and the canonical fields.
func (r *request) names() (names, lines string) {
	var list []string
	values := map[string]string{}
	for _, f := range r.fields {
		name := strings.ToLower(f[0])
		if !slices.Contains(r.unsigned, name) {
			list = append(list, name)
			values[name] = strings.Join(strings.Fields(f[1]), " ")
		}
	}
	slices.Sort(list)
	for _, name := range list {
		lines += name + ":" + values[name] + "\n"
	}
	return strings.Join(list, ";"), lines
}

// sign returns the request on the wire, with its Authorization header.
func (r request) sign(t testing.TB, secret string) []byte {
	t.Helper()
	names, lines := r.names()
	path, query, _ := strings.Cut(r.target, "?")
	date := signedAt.Format(dateForm)
	for _, f := range r.fields {
		if f[0] == "X-Amz-Date" {
			date = f[1]
		}
	}
	canonical := r.method + "\n" + path + "\n" + canonicalQuery(t, query) + "\n" + lines + "\n" + names + "\n" + hash(r.body)
	return r.wire("AWS4-HMAC-SHA256 Credential=" + accessKey + "/" + date[:8] + "/us-east-1/sns/aws4_request, SignedHeaders=" + names +
		", Signature=" + signature(secret, date, "us-east-1", "sns", canonical))
}

// presign returns the request on the wire with the signature in its query, living for a number of seconds.
func (r request) presign(t testing.TB, secret string, lifetime int) []byte {
	t.Helper()
	date := signedAt.Format(dateForm)
	names, lines := r.names()
	path, query, _ := strings.Cut(r.target, "?")
	query += "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + url.QueryEscape(accessKey+"/"+date[:8]+"/us-east-1/sns/aws4_request") +
		"&X-Amz-Date=" + date + fmt.Sprint("&X-Amz-Expires=", lifetime) + "&X-Amz-SignedHeaders=" + url.QueryEscape(names)
	canonical := r.method + "\n" + path + "\n" + canonicalQuery(t, query) + "\n" + lines + "\n" + names + "\n" + hash(r.body)
	r.target = path + "?" + query + "&X-Amz-Signature=" + signature(secret, date, "us-east-1", "sns", canonical)
	return r.wire("")
}

// wire is the request as it is sent.
func (r request) wire(authorization string) []byte {
	b := []byte(r.method + " " + r.target + " HTTP/1.1\r\n")
	for _, f := range r.fields {
		b = append(b, f[0]+": "+f[1]+"\r\n"...)
	}
	if authorization != "" {
		b = append(b, "Authorization: "+authorization+"\r\n"...)
	}
	if !strings.Contains(string(b), "Content-Length") {
		b = fmt.Appendf(b, "Content-Length: %d\r\n", len(r.body))
	}
	return append(b, "\r\n"+r.body...)
}

// read parses a request; false when fasthttp refuses it.
func read(wire []byte) (*fasthttp.Request, bool) {
	r := &fasthttp.Request{}
	return r, r.Read(bufio.NewReaderSize(bytes.NewReader(wire), 16<<10)) == nil
}

// verifyAt is the verdict on a request: "" when it is accepted.
func verifyAt(t testing.TB, keys *Keyring, wire []byte, now time.Time) string {
	t.Helper()
	r, ok := read(wire)
	if !ok {
		t.Fatalf("the request is not readable: %.200q", wire)
	}
	h := ingress.ParseHead(&r.Header)
	who, err := NewSigV4(keys, "sns").Verify(&h, r.Body(), now)
	var fault *Fault
	switch {
	case err == nil && who.AccessKey != accessKey:
		t.Fatalf("the credential of another: %q", who.AccessKey)
	case err == nil:
		return ""
	case !errors.As(err, &fault) || who != nil || fault.Status/100 != 4:
		t.Fatalf("%v, %v", who, err)
	}
	return fault.Code + ": " + fault.Text
}
