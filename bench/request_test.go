package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRequest(t *testing.T) {
	f := func(face string, status int, want string) {
		t.Helper()
		o := PublishOptions{Target: "http://127.0.0.1:8080/", Face: face, Topic: "orders", SizeBytes: 20}
		o.setDefaults()
		tg, err := parseTarget(o.Target)
		if err != nil {
			t.Fatal(err)
		}
		got, success := request(&o, tg, Text(o.SizeBytes), time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC))
		if diff := cmp.Diff(want, strings.ReplaceAll(string(got), "\r\n", "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", face, diff)
		}
		if head, body, _ := strings.Cut(string(got), "\r\n\r\n"); !strings.HasSuffix(head, fmt.Sprintf("Content-Length: %d", len(body))) {
			t.Errorf("%s: the body has %d bytes", face, len(body))
		}
		if success != status {
			t.Errorf("%s: success is %d, want %d", face, success, status)
		}
	}
	f("smq", 201, `POST /topics/orders/messages HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: fanfare-bench
Authorization: MNS fanfare-bench:AAAAAAAAAAAAAAAAAAAAAAAAAAA=
Content-Type: text/xml;charset=utf-8
Date: Tue, 02 Jan 2024 03:04:05 GMT
x-mns-version: 2015-06-06
Content-Length: 174

<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>fanfare sends every </MessageBody><MessageTag>bench</MessageTag></Message>`)
	f("rocketmq", 201, `POST /topics/orders/messages?ns=3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: fanfare-bench
Authorization: MQ fanfare-bench:AAAAAAAAAAAAAAAAAAAAAAAAAAA=
Content-Type: text/xml;charset=utf-8
Date: Tue, 02 Jan 2024 03:04:05 GMT
x-mq-version: 2015-06-06
Content-Length: 129

<Message><MessageBody>fanfare sends every </MessageBody><MessageTag>bench</MessageTag><Properties>KEYS:k1|</Properties></Message>`)
	f("dms", 200, `POST /v2/rocketmq/0123456789abcdef0123456789abcdef/instances/3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c/messages HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: fanfare-bench
Content-Type: application/json;charset=UTF-8
X-Auth-Token: fanfare-bench
Content-Length: 127

{"topic":"orders","body":"fanfare sends every ","property_list":[{"name":"KEYS","value":"k1"},{"name":"TAGS","value":"bench"}]}`)
	f("smn", 200, `POST /v2/0123456789abcdef0123456789abcdef/notifications/topics/urn:smn:eu-de:0123456789abcdef0123456789abcdef:orders/publish HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: fanfare-bench
Content-Type: application/json;charset=UTF-8
X-Auth-Token: fanfare-bench
Content-Length: 52

{"subject":"bench","message":"fanfare sends every "}`)
	f("sns", 200, `POST / HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: fanfare-bench
Authorization: AWS4-HMAC-SHA256 Credential=FANFAREBENCH/20240102/us-east-1/sns/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000
Content-Type: application/x-www-form-urlencoded
X-Amz-Date: 20240102T030405Z
Content-Length: 137

Action=Publish&Message=fanfare+sends+every+&Subject=bench&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&Version=2010-03-31`)
	f("native", 201, `POST /v1/topics/orders/messages HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: fanfare-bench
Content-Type: text/plain;charset=utf-8
Content-Length: 20

fanfare sends every `)
}

func TestRequestEscapesNames(t *testing.T) {
	o := PublishOptions{Target: "http://h", Face: "native", Topic: "a b/c%d"}
	o.setDefaults()
	got, _ := request(&o, target{host: "h", prefix: "/gateway"}, "", time.Time{})
	if want := "POST /gateway/v1/topics/a%20b%2Fc%25d/messages HTTP/1.1\r\n"; !strings.HasPrefix(string(got), want) {
		t.Errorf("%q, want it to begin with %q", got, want)
	}
}

func TestParseTarget(t *testing.T) {
	f := func(raw string, want target, wantErr string) {
		t.Helper()
		got, err := parseTarget(raw)
		if fmt.Sprint(err) != wantErr || got != want {
			t.Errorf("%q: %+v, %v; want %+v, %v", raw, got, err, want, wantErr)
		}
	}
	f("http://127.0.0.1:8080", target{addr: "127.0.0.1:8080", host: "127.0.0.1:8080"}, "<nil>")
	f("http://h/", target{addr: "h:80", host: "h"}, "<nil>")
	f("https://h/a/b/", target{addr: "h:443", host: "h", prefix: "/a/b", tls: true}, "<nil>")
	f("http://[::1]:1", target{addr: "[::1]:1", host: "[::1]:1"}, "<nil>")
	f("127.0.0.1:8080", target{}, `target: parse "127.0.0.1:8080": first path segment in URL cannot contain colon`)
	f("", target{}, `target: "" is no http or https URL`)
	f("ftp://h", target{}, `target: "ftp://h" is no http or https URL`)
	f("http:///x", target{}, `target: "http:///x" names no host`)
	f("http://h?x=1", target{}, "target: query, fragment and user are not allowed")
}

func TestText(t *testing.T) {
	for _, n := range []int{1, 72, 73, 74, 1024} {
		if got := Text(n); len(got) != n {
			t.Errorf("Text(%d) has %d bytes", n, len(got))
		}
	}
}
