package sns

import (
	"fmt"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
)

// TestCodes walks every error of the engine: each has an answer of its own.
func TestCodes(t *testing.T) {
	for _, sentinel := range engine.Sentinels() {
		f := faultOf(fmt.Errorf("wrapped: %w", sentinel))
		if f == errInternal || f.status < 400 || f.code == "" || f.text == "" {
			t.Errorf("%v: got %+v", sentinel, f)
		}
	}
	if got := faultOf(engine.ErrRecordDamaged); got != errInternal {
		t.Errorf("an unknown error: got %+v", got)
	}
	f := func(err error, status int, code, text, retryAfter, kind string) {
		t.Helper()
		var ctx fasthttp.RequestCtx
		h := ingress.ParseHead(&ctx.Request.Header)
		c := newCall(New(nil, Options{}), &ctx, &h)
		c.refuse(err)
		want := fmt.Sprintf(`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <Error>
    <Type>%s</Type>
    <Code>%s</Code>
    <Message>%s</Message>
  </Error>
  <RequestId>%s</RequestId>
</ErrorResponse>
`, kind, code, text, c.id.AppendUUID(nil))
		if got := string(ctx.Response.Body()); got != want || ctx.Response.StatusCode() != status {
			t.Errorf("%v: got %d %s", err, ctx.Response.StatusCode(), got)
		}
		if got := string(ctx.Response.Header.Peek("Retry-After")); got != retryAfter {
			t.Errorf("%v: Retry-After %q", err, got)
		}
		c.release()
	}
	f(engine.ErrTopicNotFound, 404, "NotFound", "Topic does not exist", "", "Sender")
	f(engine.ErrBusy, 400, "Throttling", "Rate exceeded", "1", "Sender")
	f(engine.ErrUnavailable, 503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.", "1", "Receiver")
	f(engine.ErrClosed, 503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.", "1", "Receiver")
	f(&engine.FieldError{Field: "endpoint", Reason: "has no host"}, 400, "InvalidParameter", "Invalid parameter: Endpoint Reason: has no host", "", "Sender")
	f(invalid("a<b&c\x00\xff"), 400, "InvalidParameter", "Invalid parameter: a&lt;b&amp;c\uFFFD\uFFFD", "", "Sender")
}
