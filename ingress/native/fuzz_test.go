package native

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"

	"github.com/valyala/fasthttp"
)

// FuzzNativePublish lets the face answer a publish with whatever path, headers and body: what is accepted is kept as
// it came, and nothing is the server's fault.
func FuzzNativePublish(f *testing.F) {
	f.Add("orders", "text/plain", "subject", "red", "90", "1h", []byte("hello"))
	f.Add("or%64ers", "", "", "", "1m30s", "", []byte{})
	f.Add("%", "a\x00", "\xff", "t\n", "-1", "0", []byte("x"))
	f.Add("NS%25a%7Cb", "application/json; charset=utf-8", "é", "é", "959h59m59s", "1ms", []byte(`{"a":1}`))
	e := facetest.NewEngine(f, nil, facetest.Quiet())
	for _, name := range []string{"orders", "NS%a|b"} {
		if _, _, err := e.CreateTopic(name, nil); err != nil {
			f.Fatal(err)
		}
	}
	face := New(e, Options{})
	f.Fuzz(func(t *testing.T, topic, contentType, subject, tag, delay, ttl string, body []byte) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		header := &ctx.Request.Header
		header.SetMethod("POST")
		header.SetRequestURI("/v1/topics/" + topic + "/messages")
		for name, value := range map[string]string{"Content-Type": contentType, "X-Fanfare-Subject": subject, "X-Fanfare-Tag": tag, "X-Fanfare-Delay": delay, "X-Fanfare-Ttl": ttl} {
			if value != "" {
				header.Set(name, value)
			}
		}
		ctx.Request.SetBody(body)
		h := ingress.ParseHead(header)
		if !face.Claims(&h) {
			t.Fatalf("%q is not claimed", h.Path)
		}
		face.Serve(&ctx, &h)
		if status := ctx.Response.StatusCode(); status != 201 && (status < 400 || status > 499) {
			t.Fatalf("%d %s", status, ctx.Response.Body())
		}
		checkFilled(t, header, body)
	})
}

// checkFilled reads the head again, by itself, and compares the message with what the headers say.
func checkFilled(t *testing.T, header *fasthttp.RequestHeader, body []byte) {
	m := engine.NewMessage()
	defer m.Release()
	if fillMessage(m, header, body) != nil {
		return
	}
	for field, want := range map[engine.Field]string{
		engine.FieldBody: string(body), engine.FieldContentType: string(header.ContentType()),
		engine.FieldSubject: string(header.Peek("X-Fanfare-Subject")), engine.FieldTag: string(header.Peek("X-Fanfare-Tag")),
	} {
		if got := string(m.Get(field)); got != want {
			t.Errorf("field %d is %q, want %q", field, got, want)
		}
	}
	due := m.PublishedAt()
	if text := string(header.Peek("X-Fanfare-Delay")); text != "" {
		d, err := oracleSpan(text)
		if due += d.Milliseconds(); err != nil || m.DeliverAt() != 0 && m.DeliverAt() != due || m.DeliverAt() == 0 && d >= time.Millisecond {
			t.Errorf("the delay %q: %v, %d of %d", text, err, m.DeliverAt(), due)
		}
	}
	if text := string(header.Peek("X-Fanfare-Ttl")); text != "" {
		if d, err := oracleSpan(text); err != nil || m.ExpiresAt() != due+d.Milliseconds() {
			t.Errorf("the TTL %q: %v, %d", text, err, m.ExpiresAt())
		}
	}
}

// oracleSpan is another reading of seconds or a duration.
func oracleSpan(text string) (time.Duration, error) {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	return d, nil
}
