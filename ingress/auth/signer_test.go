package auth

import (
	"bufio"
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/auth/authtest"
)

// The key and time of the vectors that the published examples use.
const (
	accessKey = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	publishes = "Action=Publish&Message=hello+world&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&Version=2010-03-31"
)

var (
	signedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	keyring  = NewKeyring([]Credential{{Name: "tester", AccessKey: accessKey, Secret: secretKey, Permissions: All}})
)

func post(body string) authtest.Request { return authtest.Post(accessKey, secretKey, signedAt, body) }

// get is a request that can be presigned.
func get(target string) authtest.Request {
	return authtest.Get(accessKey, secretKey, signedAt, target)
}

// dated is the request with another date.
func dated(r authtest.Request, date string) authtest.Request {
	r.Date = date
	r.Fields[2][1] = date
	return r
}

// to is the request with another method and target.
func to(r authtest.Request, method, target string) authtest.Request {
	r.Method, r.Target = method, target
	return r
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
