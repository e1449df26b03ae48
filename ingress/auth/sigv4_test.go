package auth

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"fanfare/ingress"
	"fanfare/ingress/auth/authtest"
)

// The vectors were computed by the signer of the AWS SDK for Go and by an independent program.
const (
	vectorA = "POST / HTTP/1.1\r\nHost: 127.0.0.1:4100\r\nContent-Length: 114\r\nContent-Type: application/x-www-form-urlencoded\r\nX-Amz-Date: 20260102T030405Z\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/sns/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date, " +
		"Signature=0204c5d30b5655ac2d07a34fb006b4169e0255346085ce05456b9100e395e3b1\r\n\r\n" + publishes
	vectorB = "GET /?Action=ListTopics&Version=2010-03-31&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fsns%2Faws4_request" +
		"&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=f37805d02940321762c1355f3bd5a8eb985ff0987854871ddeb3e3070e274d1c" +
		" HTTP/1.1\r\nHost: 127.0.0.1:4100\r\n\r\n"
)

func TestVectors(t *testing.T) {
	for _, wire := range []string{vectorA, vectorB} {
		if got := verifyAt(t, keyring, []byte(wire), signedAt); got != "" {
			t.Errorf("%s\n%s", wire, got)
		}
	}
	key := deriveKey(secretKey, []byte("20260102"), []byte("us-east-1"), []byte("sns"))
	var plain [32]byte
	for i := range plain {
		plain[i] = key.inner[i] ^ 0x36
	}
	if got := hex.EncodeToString(plain[:]); got != "66c7a27937e334278fee9e2682270572f6d77c760082690ceb2c6ed9c67af6d5" {
		t.Errorf("signing key %s", got)
	}
	r, _ := read([]byte(vectorA))
	h := ingress.ParseHead(&r.Header)
	var v verification
	if err := v.parse(&h); err != nil {
		t.Fatal(err)
	}
	bodyHash, _ := hex.DecodeString("99928f000582eed38dd3bfc821f70465dafff8896feba713eebdb25aa2c0f742")
	text, err := v.appendRequest(nil, &h, bodyHash)
	if err != nil || authtest.Hash(string(text)) != "f741f963ad46f246423df7a6cc13b4831817c334ad99a209f933640549f1f0bb" {
		t.Errorf("canonical request %q (%v)", text, err)
	}
}

const mismatch = "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// TestAccepted signs requests of all shapes with a signer of the tests' own.
func TestAccepted(t *testing.T) {
	f := func(name string, wire []byte) {
		t.Run(name, func(t *testing.T) {
			if got := verifyAt(t, keyring, wire, signedAt); got != "" {
				t.Errorf("%q\n%s", wire, got)
			}
		})
	}
	f("plain", post(publishes).Sign())
	f("no body", post("").Sign())
	f("signed hash of the body", post(publishes).With("X-Amz-Content-Sha256", authtest.Hash(publishes)).Sign())
	f("session token", post(publishes).With("X-Amz-Security-Token", "FwoGZXIvYXdzEBYaD").Sign())
	f("spaces", post(publishes).With("Amz-Sdk-Request", "  attempt=1;   max=3  ").Sign())
	f("values with a comma", post(publishes).With("X-AMZ-User-Agent", "aws-sdk-js/3.1 ua/2.1, os/linux").Sign())
	unsigned := post(publishes).With("User-Agent", "curl/8").With("Accept", "*/*").With("Accept", "text/xml")
	unsigned.Unsigned = []string{"user-agent", "accept", "content-type"}
	f("unsigned fields", unsigned.Sign())
	f("query", to(post(""), "GET", "/?Version=2010-03-31&Action=ListTopics").Sign())
	f("query and body", to(post(publishes), "POST", "/?b=2&a=%7e~%2f/&a=1&empty&x=+%20%2B&&%C3%A9=e").Sign())
	f("presigned", get("/?Action=Subscribe&Endpoint=http%3A%2F%2Fh%2Fa+b%20c").Presign(60))
	f("presigned, two fields", get("/?Action=ListTopics").With("X-Custom", "1").Presign(604800))
	withBody := to(get(""), "POST", "/?a=1")
	withBody.Body = publishes
	f("presigned, with a body", withBody.Presign(60))
	// A date in the field that every client of HTTP knows.
	usual := post(publishes)
	usual.Fields[2] = [2]string{"Date", "Fri, 02 Jan 2026 03:04:05 GMT"}
	f("Date", usual.Sign())
	// The path of a queue is encoded once more.
	f("path", []byte(strings.Replace(string(to(post(""), "GET", "/1/a%252Fb").Sign()), "a%252Fb", "a%2Fb", 1)))
}

// TestRefused makes a good request bad, in one way each.
func TestRefused(t *testing.T) {
	good := string(post(publishes).With("X-Amz-Content-Sha256", authtest.Hash(publishes)).Sign())
	signed := string(get("/?Action=ListTopics").Presign(60))
	scope := "Credential=AKIDEXAMPLE/20260102/us-east-1/sns/aws4_request"
	f := func(name, wire, old, replacement, want string) {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(wire, old, replacement, 1)
			if changed == wire {
				t.Fatalf("nothing to change: %q in %q", old, wire)
			}
			if got := verifyAt(t, keyring, []byte(changed), signedAt); got != want {
				t.Errorf("%.1000q\n got %q\nwant %q", changed, got, want)
			}
		})
	}
	const missing = "MissingAuthenticationToken: Request is missing Authentication Token"
	const unknown = "InvalidClientTokenId: The security token included in the request is invalid."
	const twice = "IncompleteSignature: A part of the signature is given more than once."
	authorization := good[strings.Index(good, "Authorization"):strings.Index(good, "Content-Length")]
	required := func(names ...string) string {
		text := "IncompleteSignature:"
		for _, name := range names {
			text += " Authorization header requires '" + name + "' parameter."
		}
		return text
	}

	f("no signature", good, authorization, "", missing)
	f("empty", good, authorization, "Authorization:\r\n", required("Credential", "Signature", "SignedHeaders"))
	f("basic", good, "AWS4-HMAC-SHA256 Credential", "Basic Credential", required("Credential", "Signature", "SignedHeaders"))
	f("version 4a", good, "AWS4-HMAC-SHA256 ", "AWS4-ECDSA-P256-SHA256 ", required("Credential", "Signature", "SignedHeaders"))
	f("scheme glued on", good, "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256", required("Credential", "Signature", "SignedHeaders"))
	f("no credential", good, scope+", ", "", required("Credential"))
	f("no signature part", good, ", Signature=", ", Signature=,", "IncompleteSignature: Authorization header has a part that is none of 'Credential', 'SignedHeaders' and 'Signature'.")
	f("no names", good, "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date", "SignedHeaders=", required("SignedHeaders"))
	f("no date", good, "X-Amz-Date:", "X-Date:", "IncompleteSignature: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	f("two dates", good, "X-Amz-Date:", "X-Amz-Date: 20260102T030405Z\r\nX-Amz-Date:", twice)
	f("bad date", good, "X-Amz-Date: 20260102T030405Z", "X-Amz-Date: 20260132T030405Z", "IncompleteSignature: Date must be in ISO-8601 'basic format'. Got '20260132T030405Z'.")
	f("credential twice", good, "SignedHeaders=", scope+", SignedHeaders=", twice)
	f("authorization twice", good, "Authorization:", authorization+"Authorization:", twice)
	f("short credential", good, scope, "Credential=AKIDEXAMPLE/20260102/us-east-1/aws4_request", "IncompleteSignature: Credential must have exactly 5 slash-delimited elements: KEY/yyyymmdd/REGION/SERVICE/aws4_request.")
	f("terminator", good, "sns/aws4_request", "sns/aws5_request", "SignatureDoesNotMatch: Credential should be scoped with a valid terminator: 'aws4_request'.")
	f("unknown key", good, "AKIDEXAMPLE", "AKIDEXAMPLF", unknown)
	f("key with a slash", good, "AKIDEXAMPLE", "a/AKIDEXAMPLE", unknown)
	f("other day", good, "/20260102/", "/20260103/", "SignatureDoesNotMatch: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260103' != '20260102', from '20260102T030405Z'.")
	f("bad region", good, "us-east-1", "US-EAST-1", "SignatureDoesNotMatch: Credential should be scoped to a valid region.")
	f("other region", good, "us-east-1/sns", "us-east-2/sns", mismatch)
	f("other service", good, "us-east-1/sns", "us-east-1/sqs", "SignatureDoesNotMatch: Credential should be scoped to correct service: 'sns'.")
	f("upper-case signature", good, good[strings.Index(good, "Signature=")+10:strings.Index(good, "\r\nContent-Length")],
		strings.ToUpper(good[strings.Index(good, "Signature=")+10:strings.Index(good, "\r\nContent-Length")]), mismatch)
	f("empty signature", good, good[strings.Index(good, "Signature=")+10:strings.Index(good, "\r\nContent-Length")], "", required("Signature"))
	f("host not signed", good, "host;", "", "SignatureDoesNotMatch: 'Host' must be a 'SignedHeader' in the AWS Authorization.")
	f("names out of order", good, "content-type;host", "host;content-type", mismatch)
	f("a name twice", good, "host;", "host;host;", mismatch)
	f("an empty name", good, "host;", "host;;", mismatch)
	f("upper-case name", good, "content-type;host", "Content-Type;host", mismatch)
	f("a signed field is missing", good, "Content-Type: application/x-www-form-urlencoded\r\n", "", mismatch)
	f("a signed field is there twice", good, "Content-Type: application/x-www-form-urlencoded\r\n",
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Type: application/x-www-form-urlencoded\r\n", mismatch)
	f("a folded field", good, "Host: 127.0.0.1:4100\r\n", "Host: 127.0.0.1:4100\r\n folded: yes\r\n", mismatch)
	f("hash of another body", good, authtest.Hash(publishes), authtest.Hash("x"), mismatch)
	f("unsigned payload", good, authtest.Hash(publishes), "UNSIGNED-PAYLOAD", mismatch)
	f("streaming payload", good, authtest.Hash(publishes), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", mismatch)
	f("another body", good, "hello+world", "hello+w0rld", mismatch)
	f("another method", good, "POST / ", "PUT / ", mismatch)
	f("another path", good, "POST / ", "POST /x ", mismatch)
	f("a parameter more", good, "POST / ", "POST /?Subject=x ", mismatch)
	f("both forms", good, "POST / ", "POST /?X-Amz-Signature=0 ", "IncompleteSignature: Only one of the Authorization header and the X-Amz-Signature query parameter is allowed.")
	f("bad escape", good, "POST / ", "POST /?a=%zz ", "MalformedQueryString: The query string contains a syntax error.")
	f("many parameters", good, "POST / ", "POST /?"+strings.Repeat("&a", pairsMax+1)+" ", "IncompleteSignature: The query has more than 2048 parameters.")
	f("many fields", good, "Host:", strings.Repeat("A: b\r\n", fieldsMax)+"Host:", "IncompleteSignature: The request has more than 256 header fields, or signs more than 64.")

	requires := func(names ...string) string {
		text := "IncompleteSignature: "
		for _, name := range names {
			text += "AWS query-string parameters must include '" + name + "'. "
		}
		return text + "Re-examine the query-string parameters."
	}
	const lifetime = "IncompleteSignature: X-Amz-Expires must be a number of seconds from 1 to 604800."
	f("presigned: algorithm", signed, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", requires("X-Amz-Algorithm"))
	f("presigned: no date, no lifetime", signed, "X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&", "", requires("X-Amz-Date", "X-Amz-Expires"))
	f("presigned: lifetime 0", signed, "X-Amz-Expires=60", "X-Amz-Expires=0", lifetime)
	f("presigned: lifetime -1", signed, "X-Amz-Expires=60", "X-Amz-Expires=-1", lifetime)
	f("presigned: lifetime 604801", signed, "X-Amz-Expires=60", "X-Amz-Expires=604801", lifetime)
	f("presigned: endless", signed, "X-Amz-Expires=60", "X-Amz-Expires=99999999999999999999999", lifetime)
	f("presigned: longer", signed, "X-Amz-Expires=60", "X-Amz-Expires=61", mismatch)
	f("presigned: signature twice", signed, "&X-Amz-Signature=", "&X-Amz-Signature=0&X-Amz-Signature=", twice)
	f("presigned: signature twice, one encoded", signed, "&X-Amz-Signature=", "&X%2DAmz%2DSignature=0&X-Amz-Signature=", twice)
	f("presigned: another action", signed, "ListTopics", "DeleteTopic", mismatch)
	f("presigned: another host", signed, "Host: 127.0.0.1", "Host: 127.0.0.2", mismatch)
	f("presigned: a body", strings.Replace(signed, "GET", "POST", 1), "Content-Length: 0\r\n\r\n", "Content-Length: 1\r\n\r\nx", mismatch)
	f("presigned: unknown key", signed, "AKIDEXAMPLE", "AKID", unknown)

	// Lists of names that are wrong, and signed.
	for names, want := range map[string]string{
		"host;host;x-amz-date": mismatch, "x-amz-date;host": mismatch, "host;x-amz-date;x-missing": mismatch, ";host;x-amz-date": mismatch,
		"content-type;x-amz-date": "SignatureDoesNotMatch: 'Host' must be a 'SignedHeader' in the AWS Authorization.", "host;x-amz-date": "", "host": "",
	} {
		r := post(publishes)
		r.Names = names
		if got := verifyAt(t, keyring, r.Sign(), signedAt); got != want {
			t.Errorf("SignedHeaders %q: got %q, want %q", names, got, want)
		}
	}
	hashed := post(publishes).With("X-Amz-Content-Sha256", authtest.Hash(publishes)).With("X-Amz-Content-Sha256", authtest.Hash("x"))
	hashed.Unsigned = []string{"x-amz-content-sha256"}
	if got := verifyAt(t, keyring, hashed.Sign(), signedAt); got != mismatch {
		t.Errorf("two hashes of the body, not signed: %s", got)
	}
	// What the header says of the body is wrong, and signed.
	for _, says := range []string{"UNSIGNED-PAYLOAD", authtest.Hash("x"), strings.ToUpper(authtest.Hash(publishes)), ""} {
		if got := verifyAt(t, keyring, post(publishes).With("X-Amz-Content-Sha256", says).Sign(), signedAt); got != mismatch {
			t.Errorf("X-Amz-Content-Sha256 %q: %s", says, got)
		}
	}
	if got := verifyAt(t, keyring, authtest.Post(accessKey, secretKey+"x", signedAt, publishes).Sign(), signedAt); got != mismatch {
		t.Errorf("another secret: %s", got)
	}
	if got := verifyAt(t, NewKeyring(nil), []byte(good), signedAt); got != unknown {
		t.Errorf("no credentials: %s", got)
	}
	if got := verifyAt(t, nil, []byte(good), signedAt); got != unknown {
		t.Errorf("no keyring: %s", got)
	}
	many := post(publishes)
	for i := range signedMax {
		many = many.With("X-"+strings.Repeat("a", i+1), "1")
	}
	if got := verifyAt(t, keyring, many.Sign(), signedAt); !strings.HasPrefix(got, "IncompleteSignature: The request has more than") {
		t.Errorf("many signed fields: %s", got)
	}
}

// TestSkew sends captured requests at other times, to the second.
func TestSkew(t *testing.T) {
	header := post(publishes).Sign()
	presigned := get("/?Action=ListTopics").Presign(60)
	expired := func(now time.Time) string {
		return "SignatureDoesNotMatch: Signature expired: 20260102T030405Z is now earlier than " + now.Add(-15*time.Minute).Format(authtest.DateForm) +
			" (" + now.Format(authtest.DateForm) + " - 15 min.)"
	}
	early := func(now time.Time) string {
		return "SignatureDoesNotMatch: Signature not yet current: 20260102T030405Z is still later than " + now.Add(15*time.Minute).Format(authtest.DateForm) +
			" (" + now.Format(authtest.DateForm) + " + 15 min.)"
	}
	f := func(wire []byte, after time.Duration, want func(time.Time) string) {
		t.Helper()
		now, text := signedAt.Add(after), ""
		if want != nil {
			text = want(now)
		}
		if got := verifyAt(t, keyring, wire, now); got != text {
			t.Errorf("%v later:\n got %q\nwant %q", after, got, text)
		}
	}
	for minutes := -16; minutes <= 16; minutes++ {
		want := expired
		switch {
		case minutes < -15:
			want = early
		case minutes <= 15:
			want = nil
		}
		f(header, time.Duration(minutes)*time.Minute, want)
	}
	second, nearly := time.Second, 999*time.Millisecond
	f(header, 15*time.Minute+nearly, nil)
	f(header, 15*time.Minute+second, expired)
	f(header, -15*time.Minute-second, early)
	f(header, -15*time.Minute-time.Nanosecond, early)
	gone := func(time.Time) string { return "RequestExpired: Request has expired." }
	f(presigned, 60*time.Second+nearly, nil)
	f(presigned, 61*time.Second, gone)
	f(presigned, -15*time.Minute, nil)
	f(presigned, -15*time.Minute-second, early)
	week := get("/?Action=ListTopics").Presign(604800)
	f(week, 7*24*time.Hour, nil)
	f(week, 7*24*time.Hour+second, gone)
}
