package native

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"

	"github.com/valyala/fasthttp"
)

// TestCodes walks every error of the engine: each has an answer of its own.
func TestCodes(t *testing.T) {
	for _, sentinel := range engine.Sentinels() {
		got := errorOf(fmt.Errorf("wrapped: %w", sentinel))
		if got == errInternal {
			t.Errorf("%v has no code", sentinel)
		}
		if got.status < 400 || got.code == "" || !strings.HasSuffix(got.text, ".") {
			t.Errorf("%v: got %+v", sentinel, got)
		}
		var ctx fasthttp.RequestCtx
		refuse(&ctx, sentinel)
		again := got.status == 429 || got.status == 503
		if after := string(ctx.Response.Header.Peek("Retry-After")); (after == "1") != again {
			t.Errorf("%v: Retry-After %q with status %d", sentinel, after, got.status)
		}
	}
	if got := errorOf(engine.ErrRecordDamaged); got != errInternal {
		t.Errorf("an unknown error: got %+v", got)
	}
}
