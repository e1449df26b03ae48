package sns

import (
	"bufio"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

const certificateName = "SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"

func TestCertificate(t *testing.T) {
	s := newServer(t, Options{Certificate: func(name []byte) []byte {
		if string(name) != certificateName {
			return nil
		}
		return []byte("a certificate")
	}})
	none := newServer(t, Options{})
	f := func(s *server, request string, claimed bool, status int, contentType, body string) {
		t.Helper()
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(request + " HTTP/1.1\r\nHost: h:4100\r\nContent-Length: 0\r\n\r\n"))); err != nil {
			t.Fatal(err)
		}
		h := ingress.ParseHead(&ctx.Request.Header)
		if got := s.face.Claims(&h); got != claimed {
			t.Errorf("%s: claimed %v", request, got)
		}
		if !claimed {
			return
		}
		s.face.Serve(&ctx, &h)
		got := &ctx.Response
		if got.StatusCode() != status || string(got.Header.ContentType()) != contentType || !strings.Contains(string(got.Body()), body) {
			t.Errorf("%s: got %d %s %s", request, got.StatusCode(), got.Header.ContentType(), got.Body())
		}
	}
	f(s, "GET /"+certificateName, true, 200, "application/x-pem-file", "a certificate")
	f(s, "HEAD /"+certificateName, true, 200, "application/x-pem-file", "")
	f(s, "GET /"+certificateName+"?x=y", true, 200, "application/x-pem-file", "a certificate")
	f(s, "GET /"+strings.Replace(certificateName, "f3", "f4", 1), true, 404, "text/xml", "<Code>NotFound</Code>")
	f(s, "GET /SimpleNotificationService-.pem", true, 404, "text/xml", "<Code>NotFound</Code>")
	f(s, "POST /"+certificateName, true, 405, "text/xml", "use GET")
	f(none, "GET /"+certificateName, true, 404, "text/xml", "<Code>NotFound</Code>")
	f(s, "GET /SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f", false, 0, "", "")
	f(s, "GET /x/"+certificateName, false, 0, "", "")
}
