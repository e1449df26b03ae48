package aliyun

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/scan"
)

func TestDigestMatches(t *testing.T) {
	// The 156-byte body of the SMQ reference, in both encodings.
	body := []byte(`<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>ping</MessageBody><MessageTag>red</MessageTag></Message>`)
	f := func(header string, body []byte, want bool) {
		t.Helper()
		if got := DigestMatches([]byte(header), body); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
	f("NzVmZTBmZTlkY2Y3MGJkMzBiODU1MmY4YzgwZjg3NzY=", body, true)
	f("NzVGRTBGRTlEQ0Y3MEJEMzBCODU1MkY4QzgwRjg3NzY=", body, true) // upper-case digits
	f("df4P6dz3C9MLhVL4yA+Hdg==", body, true)
	f("", body, true)
	f("ZDQxZDhjZDk4ZjAwYjIwNGU5ODAwOTk4ZWNmODQyN2U=", nil, true)
	f("anything", nil, true)
	for _, bad := range []string{
		"ZDQxZDhjZDk4ZjAwYjIwNGU5ODAwOTk4ZWNmODQyN2U=", "1B2M2Y8AsgTpgAmY7PhCfg==", "df4P6dz3C9MLhVL4yA+Hdg", "df4P6dz3C9MLhVL4yA+H", "75fe0fe9dcf70bd30b8552f8c80f8776", "?",
		"enpmZTBmZTlkY2Y3MGJkMzBiODU1MmY4YzgwZjg3NzY=", strings.Repeat("A", 48), strings.Repeat("A", 1000),
	} {
		f(bad, body, false)
	}
}

func FuzzDigestMatches(f *testing.F) {
	f.Add([]byte("NzVmZTBmZTlkY2Y3MGJkMzBiODU1MmY4YzgwZjg3NzY="), []byte("x"))
	f.Fuzz(func(_ *testing.T, header, body []byte) { DigestMatches(header, body) })
}

func TestDocument(t *testing.T) {
	dialect := NewDialect("mq")
	f := func(body string, wantSpace Namespace, want ...string) {
		t.Helper()
		var d Document
		space, err := d.Open(dialect, []byte(body), "R")
		if err != nil || space != wantSpace {
			t.Errorf("%s: %d, %v", body, space, err)
			return
		}
		for {
			name, err := d.Next()
			if err != nil {
				t.Errorf("%s: %v", body, err)
				return
			}
			if name == nil {
				break
			}
			text, err := d.AppendOwnText(append([]byte(nil), name...))
			if err != nil {
				t.Errorf("%s: %v", body, err)
				return
			}
			if len(want) == 0 || string(text) != want[0] {
				t.Errorf("%s: %s, want %q", body, text, want)
				return
			}
			want = want[1:]
		}
		if err := d.Close(); err != nil || len(want) > 0 {
			t.Errorf("%s: %v, %q did not come", body, err, want)
		}
	}
	const uri = "http://mq.aliyuncs.com/doc/v1"
	f(`<R/>`, NamespaceMissing)
	f(`<R xmlns=""/>`, NamespaceMissing)
	f(`<R xmlns="`+uri+`"/>`, NamespaceOurs)
	f(`<R xmlns='`+uri+`/'> <a>1</a> x <b/></R> `, NamespaceOurs, "a1", "b")
	f(`<R xmlns="http:&#x2f;/mq.aliyuncs.com/doc/v1"/>`, NamespaceOurs)
	f(`<R xmlns="`+uri+`//"/>`, NamespaceForeign)
	f(`<R xmlns="urn:`+strings.Repeat("x", 1000)+`&amp;"/>`, NamespaceForeign)
	f(`<p:R xmlns:p="`+uri+`"><p:a/><b/><q:c/></p:R>`, NamespaceOurs, "a", "b")
	f(`<p:R xmlns:p="`+uri+`" xmlns:q="`+uri+`"><q:a/><a xmlns="urn:x"/><r:b xmlns:r="`+uri+`/">2</r:b></p:R>`, NamespaceOurs, "a", "b2")
	f(`<p:R/>`, NamespaceForeign)
	f(`<R xmlns:p="`+uri+`"/>`, NamespaceMissing)
	f(`<R><a xmlns="">1</a><b>2<c>3<d/></c>4</b></R>`, NamespaceMissing, "a1", "b24")
}

func TestDocumentFaults(t *testing.T) {
	dialect := NewDialect("mq")
	var d Document
	open := func(body string) error {
		_, err := d.Open(dialect, []byte(body), "R")
		return err
	}
	f := func(got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	next := func() error {
		_, err := d.Next()
		return err
	}
	f(open(""), scan.ErrXMLSyntax)
	f(open("<Q/>"), ErrRoot)
	f(open("<R>"), nil)
	f(next(), scan.ErrXMLSyntax)
	f(open(`<R><q:a><b></q:a></R>`), nil)
	f(next(), scan.ErrXMLSyntax)
	f(open("<R></R>x"), nil)
	f(next(), nil)
	f(d.Close(), scan.ErrXMLSyntax)
	f(open("<R><a><b/></a></R>"), nil)
	f(next(), nil)
	_, err := d.AppendText(nil)
	f(err, scan.ErrXMLElement)
	f(open("<R><a><b>"), nil)
	f(next(), nil)
	_, err = d.AppendOwnText(nil)
	f(err, scan.ErrXMLSyntax)
	f(open("<R><a>"), nil)
	f(next(), nil)
	f(d.Skip(), scan.ErrXMLSyntax)
}

func TestExchange(t *testing.T) {
	f := func(request string, serve func(x *Exchange), want ...string) {
		t.Helper()
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(request))); err != nil {
			t.Fatal(err)
		}
		head := ingress.ParseHead(&ctx.Request.Header)
		x := NewDialect("mns").Begin(&ctx, &head)
		serve(&x)
		var reply bytes.Buffer
		if _, err := ctx.Response.WriteTo(&reply); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(reply.String(), w) {
				t.Errorf("%q has no %q", reply.String(), w)
			}
		}
	}
	f("GET / HTTP/1.1\r\nHost: a\"&<b\r\n\r\n", func(x *Exchange) { x.Fail(&Fault{Status: 400, Code: "C", Text: "<t>", Again: true}) },
		"HTTP/1.1 400 ", "\r\nx-mns-request-id: ", "\r\nx-mns-version: 2015-06-06\r\n", "\r\nRetry-After: 1\r\n", "\r\nContent-Type: text/xml;charset=utf-8\r\n",
		`<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<Error xmlns="http://mns.aliyuncs.com/doc/v1"><Code>C</Code><Message>&lt;t&gt;</Message><RequestId>`,
		`</RequestId><HostId>http://a"&amp;&lt;b</HostId></Error>`)
	f("GET / HTTP/1.0\r\n\r\n", func(x *Exchange) { x.Fail(Schema("E")) }, "<HostId>http://localhost</HostId>", "cause by E.")
	f("GET /?A=1&b=%20&A HTTP/1.1\r\nHost: a\r\n\r\n", func(x *Exchange) {
		if !x.IsQuery("a", "1") || x.IsQuery("a", "2") || !x.HasQuery("B") || x.HasQuery("c") {
			t.Error("the query is read wrongly")
		}
		x.Done(204)
	}, "HTTP/1.1 204 ")
}
