package ingress_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

const (
	framingBodyMax  = 1 << 20
	framingCasesMin = 2_000
)

// parrot answers with all of what it was asked.
type parrot struct{}

func (parrot) Name() string                   { return "parrot" }
func (parrot) Claims(h *ingress.Head) bool    { return h.HasPathPrefix("/echo") }
func (parrot) BodyBytesMax(*ingress.Head) int { return framingBodyMax }

func (parrot) Serve(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	fmt.Fprintf(ctx, "%s %s %q", h.Method, h.Path, ctx.Request.Body())
}

func (parrot) Refuse(ctx *fasthttp.RequestCtx, _ *ingress.Head, why ingress.Refusal) {
	ctx.SetStatusCode(why.Status())
}

// TestFraming sends every case of the corpus over a connection of its own and compares what comes back with the
// reference: what is ambiguous is refused with 400 and the connection closed, and behind what is accepted the next
// request is answered as its own.
func TestFraming(t *testing.T) {
	cases := newFramingCorpus()
	distinct := map[string]bool{}
	for _, c := range cases {
		stream, _, _ := strings.Cut(c.stream, "GET /echo/follower")
		distinct[stream] = true
	}
	if len(distinct) < framingCasesMin {
		t.Errorf("%d different cases, want %d", len(distinct), framingCasesMin)
	}
	address := serve(t, ingress.Options{}, parrot{})
	queue := make(chan framingCase)
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for c := range queue {
				checkFraming(t, address, c)
			}
		})
	}
	counts := map[string]int{}
	for _, c := range cases {
		queue <- c
		counts[framedAll([]byte(c.stream))[0].reply[:3]]++
	}
	close(queue)
	senders.Wait()
	t.Logf("%d cases, %d different; the first request of each: %v", len(cases), len(distinct), counts)
	if counts["200"] < 200 || counts["400"] < 1000 {
		t.Errorf("the corpus lost its balance: %v", counts)
	}
}

func checkFraming(t *testing.T, address string, c framingCase) {
	got, err := converse(address, c.stream)
	if err != nil {
		t.Errorf("%s: %v", c.about, err)
		return
	}
	want := framedAll([]byte(c.stream))
	for i, w := range want {
		switch {
		case w.reply == cutOff:
			// Nothing, or a refusal.
			if len(got) > i+1 || len(got) == i+1 && (got[i].reply != refused400 || !got[i].closes) {
				t.Errorf("%s: cut off at request %d, got %+v", c.about, i, got)
			}
			return
		case len(got) <= i, got[i] != w:
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.about, got, want)
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", c.about, got, want)
	}
}

// converse sends a stream, ends the sending half, and returns every reply up to the end of the connection.
func converse(address, stream string) (replies []framed, err error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c, stream); err != nil {
		return nil, err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return nil, err
	}
	for r := bufio.NewReader(c); ; {
		res, err := http.ReadResponse(r, nil)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return replies, nil
		}
		if err != nil {
			return replies, err
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return replies, err
		}
		one := framed{fmt.Sprint(res.StatusCode), res.Close}
		if res.StatusCode == http.StatusOK {
			one.reply += " " + string(body)
		}
		replies = append(replies, one)
	}
}
