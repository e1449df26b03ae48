package authtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DateForm is the form of dates in signatures, for package time.
const DateForm = "20060102T150405Z"

// Request is one that a client signs.
type Request struct {
	Region    string // such as "us-east-1"
	Service   string // such as "sns"
	AccessKey string
	Secret    string
	Date      string // in DateForm; the field of the header that carries it is the caller's matter

	Method, Target string
	Fields         [][2]string // of the header, sent in this order
	Unsigned       []string    // lower-case names of those that are sent and not signed
	Names          string      // the list of signed names where it is not to be the right one
	Body           string
}

// Post returns a request with a form for the SNS face, signed for a time.
func Post(accessKey, secret string, at time.Time, body string) Request {
	date := at.UTC().Format(DateForm)
	return Request{
		Region: "us-east-1", Service: "sns", AccessKey: accessKey, Secret: secret, Date: date, Method: "POST", Target: "/", Body: body,
		Fields: [][2]string{{"Host", "127.0.0.1:4100"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"X-Amz-Date", date}},
	}
}

// Get returns a request without a body, signed for a time, for Presign.
func Get(accessKey, secret string, at time.Time, target string) Request {
	return Request{
		Region: "us-east-1", Service: "sns", AccessKey: accessKey, Secret: secret, Date: at.UTC().Format(DateForm), Method: "GET", Target: target,
		Fields: [][2]string{{"Host", "127.0.0.1:4100"}},
	}
}

// With returns the request with one more field.
func (r Request) With(name, value string) Request {
	r.Fields = append(slices.Clone(r.Fields), [2]string{name, value})
	return r
}

// Sign returns the request on the wire, with its Authorization header.
func (r Request) Sign() []byte {
	names, lines := r.signed()
	path, query, _ := strings.Cut(r.Target, "?")
	return r.Wire("AWS4-HMAC-SHA256 Credential=" + r.AccessKey + "/" + r.scope() + ", SignedHeaders=" + names +
		", Signature=" + r.signature(path, query, names, lines))
}

// Presign returns the request on the wire with the signature in its query, living for a number of seconds.
func (r Request) Presign(lifetime int) []byte {
	names, lines := r.signed()
	path, query, _ := strings.Cut(r.Target, "?")
	query += "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + url.QueryEscape(r.AccessKey+"/"+r.scope()) +
		"&X-Amz-Date=" + r.Date + fmt.Sprint("&X-Amz-Expires=", lifetime) + "&X-Amz-SignedHeaders=" + url.QueryEscape(names)
	r.Target = path + "?" + query + "&X-Amz-Signature=" + r.signature(path, query, names, lines)
	return r.Wire("")
}

// Wire returns the request as it is sent. An empty authorization leaves the field out.
func (r Request) Wire(authorization string) []byte {
	b := []byte(r.Method + " " + r.Target + " HTTP/1.1\r\n")
	for _, f := range r.Fields {
		b = append(b, f[0]+": "+f[1]+"\r\n"...)
	}
	if authorization != "" {
		b = append(b, "Authorization: "+authorization+"\r\n"...)
	}
	if !strings.Contains(string(b), "Content-Length") {
		b = fmt.Appendf(b, "Content-Length: %d\r\n", len(r.Body))
	}
	return append(b, "\r\n"+r.Body...)
}

// signed returns the names of the signed fields and their canonical lines.
func (r Request) signed() (names, lines string) {
	var list []string
	values := map[string]string{}
	for _, f := range r.Fields {
		name := strings.ToLower(f[0])
		if !slices.Contains(r.Unsigned, name) {
			list = append(list, name)
			values[name] = strings.Join(strings.Fields(f[1]), " ")
		}
	}
	slices.Sort(list)
	if r.Names != "" {
		list = strings.Split(r.Names, ";")
	}
	var text strings.Builder
	for _, name := range list {
		text.WriteString(name + ":" + values[name] + "\n")
	}
	return strings.Join(list, ";"), text.String()
}

func (r Request) scope() string {
	return r.Date[:8] + "/" + r.Region + "/" + r.Service + "/aws4_request"
}

func (r Request) signature(path, query, names, lines string) string {
	canonical := r.Method + "\n" + path + "\n" + CanonicalQuery(query) + "\n" + lines + "\n" + names + "\n" + Hash(r.Body)
	key := []byte("AWS4" + r.Secret)
	for _, part := range []string{r.Date[:8], r.Region, r.Service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+r.Date+"\n"+r.scope()+"\n"+Hash(canonical)))
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Hash is the lower-case hex SHA-256 of a text.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// CanonicalQuery sorts and encodes a query as the description says.
func CanonicalQuery(query string) string {
	var pairs []string
	for _, pair := range strings.Split(query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, encode(key)+"\x00"+encode(value)) // below all that is encoded: keys are compared first
	}
	slices.Sort(pairs)
	return strings.ReplaceAll(strings.Join(pairs, "&"), "\x00", "=")
}

func encode(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return strings.ReplaceAll(url.QueryEscape(decoded), "+", "%20")
}
