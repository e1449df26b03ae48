package pipeline_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanfare/egress/pipeline"
)

// scripted is a connection whose answers are given; it notes what is written.
type scripted struct {
	net.Conn
	in      io.Reader
	written bytes.Buffer
	writes  int
}

func (s *scripted) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s *scripted) Write(b []byte) (int, error) { s.writes++; return s.written.Write(b) }
func (s *scripted) SetDeadline(time.Time) error { return nil }
func (s *scripted) Close() error                { return nil }

// drip hands out one byte at a time.
type drip struct{ r io.Reader }

func (d drip) Read(b []byte) (int, error) { return d.r.Read(b[:1]) }

func read(t *testing.T, in io.Reader) (pipeline.Answer, *pipeline.Conn, error) {
	t.Helper()
	c := pipeline.NewConn(&scripted{in: in})
	if err := c.Flush(pipeline.Patience{}); err != nil {
		t.Fatal(err)
	}
	var a pipeline.Answer
	err := c.ReadAnswer(&a)
	return a, c, err
}

func TestAnswers(t *testing.T) {
	f := func(name, in string, status int, closed bool, snippet string) {
		t.Helper()
		for _, r := range []io.Reader{strings.NewReader(in), drip{strings.NewReader(in)}} {
			a, c, err := read(t, r)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if a.Status != status || a.Close != closed || string(a.Snippet()) != snippet || !c.Quiet() {
				t.Errorf("%s: status %d, close %v, %q, quiet %v", name, a.Status, a.Close, a.Snippet(), c.Quiet())
			}
		}
	}
	f("counted", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, false, "hello")
	f("empty", "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 200, false, "")
	f("no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, false, "")
	f("no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, false, "")
	f("not modified with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, false, "")
	f("bare line feeds", "HTTP/1.1 500 No\nContent-Length: 2\n\nno", 500, false, "no")
	f("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 200, false, "abc0123456789")
	f("until the end", "HTTP/1.1 200 OK\r\n\r\nall of it", 200, true, "all of it")
	f("closing", "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n", 200, true, "")
	f("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, true, "x")
	f("HTTP/1.0 kept open", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, false, "x")
	f("100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, false, "")
	f("same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 200, false, "x")
}

func TestFaultyAnswers(t *testing.T) {
	f := func(name, in string, want error) {
		t.Helper()
		for _, r := range []io.Reader{strings.NewReader(in), drip{strings.NewReader(in)}} {
			if a, _, err := read(t, r); !errors.Is(err, want) {
				t.Errorf("%s: %v (status %d), want %v", name, err, a.Status, want)
			}
		}
	}
	f("nothing", "", io.ErrUnexpectedEOF)
	f("cut in the head", "HTTP/1.1 200 OK\r\nContent-", io.ErrUnexpectedEOF)
	f("cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", io.ErrUnexpectedEOF)
	f("cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", io.ErrUnexpectedEOF)
	f("not HTTP", "SSH-2.0-OpenSSH_9.2p1\r\n", pipeline.ErrMalformed)
	f("HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", pipeline.ErrMalformed)
	f("status of letters", "HTTP/1.1 2x0 OK\r\n\r\n", pipeline.ErrMalformed)
	f("four digits", "HTTP/1.1 2000 OK\r\n\r\n", pipeline.ErrMalformed)
	f("status 099", "HTTP/1.1 099 OK\r\n\r\n", pipeline.ErrMalformed)
	f("switching protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n", pipeline.ErrMalformed)
	f("header without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", pipeline.ErrMalformed)
	f("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", pipeline.ErrMalformed)
	f("negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", pipeline.ErrMalformed)
	f("length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", pipeline.ErrMalformed)
	f("unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", pipeline.ErrMalformed)
	f("bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", pipeline.ErrMalformed)
	f("huge chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", pipeline.ErrMalformed)
	f("chunk without its end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", pipeline.ErrMalformed)
	f("ten gigabytes announced", "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", pipeline.ErrAnswerTooLarge)
	f("a long line", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 8<<10), pipeline.ErrHeadTooLarge)
}

// endless repeats its bytes for ever and counts what was taken.
type endless struct {
	s    string
	at   int
	read int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.s[e.at%len(e.s)]
		e.at++
	}
	e.read += len(b)
	return len(b), nil
}

// However an answer goes on and on, no more than the bound is read of it.
func TestEndlessAnswersAreCutOff(t *testing.T) {
	f := func(name, head, repeated string, want error) {
		t.Helper()
		e := &endless{s: repeated}
		_, _, err := read(t, io.MultiReader(strings.NewReader(head), e))
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if e.read > pipeline.AnswerBytesMax+8<<10 {
			t.Errorf("%s: %d bytes were read", name, e.read)
		}
	}
	f("headers", "HTTP/1.1 200 OK\r\n", "X-Header: and one more\r\n", pipeline.ErrAnswerTooLarge)
	f("body", "HTTP/1.1 200 OK\r\n\r\n", "x", pipeline.ErrAnswerTooLarge)
	f("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10\r\n0123456789abcdef\r\n", pipeline.ErrAnswerTooLarge)
	f("trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n", pipeline.ErrAnswerTooLarge)
	f("continue", "", "HTTP/1.1 100 Continue\r\n\r\n", pipeline.ErrInformational)
}

func TestPipelinedAnswersAreReadInOrder(t *testing.T) {
	var in strings.Builder
	for _, s := range []string{"201 Created", "500 No", "204 No Content", "200 OK"} {
		in.WriteString("HTTP/1.1 " + s + "\r\n")
		if !strings.HasPrefix(s, "204") {
			in.WriteString("Content-Length: 3\r\n")
		}
		in.WriteString("Retry-After: 7\r\n\r\n")
		if !strings.HasPrefix(s, "204") {
			in.WriteString("abc")
		}
	}
	nc := &scripted{in: strings.NewReader(in.String())}
	c := pipeline.NewConn(nc)
	for range 4 {
		c.Out = append(c.Out, "POST / HTTP/1.1\r\n\r\n"...)
	}
	if err := c.Flush(pipeline.Patience{}); err != nil {
		t.Fatal(err)
	}
	if nc.writes != 1 {
		t.Errorf("%d writes for one batch", nc.writes)
	}
	var got []int
	for range 4 {
		var a pipeline.Answer
		if err := c.ReadAnswer(&a); err != nil {
			t.Fatal(err)
		}
		if a.RetryAfter != 7 {
			t.Errorf("Retry-After %d", a.RetryAfter)
		}
		got = append(got, a.Status)
	}
	if want := [4]int{201, 500, 204, 200}; [4]int(got) != want {
		t.Errorf("statuses %v, want %v", got, want)
	}
}

// What the scanner accepts, net/http reads with the same status and the same body.
func FuzzReadAnswer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.0 404 Not Found\r\n\r\nwhatever",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		c := pipeline.NewConn(&scripted{in: bytes.NewReader(in)})
		if err := c.Flush(pipeline.Patience{}); err != nil {
			t.Fatal(err)
		}
		var a pipeline.Answer
		if c.ReadAnswer(&a) != nil {
			return
		}
		r := bufio.NewReader(bytes.NewReader(in))
		req := &http.Request{Method: http.MethodPost}
		res, err := http.ReadResponse(r, req)
		for err == nil && res.StatusCode < 200 {
			res, err = http.ReadResponse(r, req)
		}
		if err != nil {
			return // net/http is stricter about header names and the like
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return
		}
		if res.StatusCode != a.Status {
			t.Errorf("%q: status %d, net/http says %d", in, a.Status, res.StatusCode)
		}
		if want := body[:min(len(body), 256)]; !bytes.Equal(a.Snippet(), want) {
			t.Errorf("%q: body %q, net/http says %q", in, a.Snippet(), want)
		}
	})
}

func TestReadAnswerDoesNotAllocate(t *testing.T) {
	reply := "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Sun, 22 Nov 2026 23:30:15 GMT\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
	in := strings.NewReader(reply)
	c := pipeline.NewConn(&scripted{in: in})
	var a pipeline.Answer
	if n := testing.AllocsPerRun(1000, func() {
		in.Reset(reply)
		if err := c.ReadAnswer(&a); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per answer", n)
	}
}
