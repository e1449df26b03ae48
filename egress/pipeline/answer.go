package pipeline

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"
)

// Limits of one answer.
const (
	AnswerBytesMax    = 64 << 10 // head and body together
	informationalMax  = 8        // 1xx answers before the final one
	snippetBytesMax   = 256
	chunkLineBytesMax = 256
)

// Faults of an answer.
var (
	ErrMalformed      = errors.New("pipeline: the answer is not HTTP")
	ErrHeadTooLarge   = errors.New("pipeline: a line of the answer's head is too long")
	ErrAnswerTooLarge = errors.New("pipeline: the answer is larger than 64 KiB")
	ErrInformational  = errors.New("pipeline: too many 1xx answers")
)

// Answer is what an endpoint said to one request.
type Answer struct {
	Status     int
	Close      bool // the connection ends behind this answer
	HTTP10     bool // the endpoint speaks HTTP/1.0, which knows no pipelining
	RetryAfter int  // seconds, 0 when not given

	snippet [snippetBytesMax]byte
	kept    int
}

// Snippet is the beginning of the answer's body. Valid until the next answer is read into a.
func (a *Answer) Snippet() []byte { return a.snippet[:a.kept] }

// head is what the head of an answer says about its body.
type head struct {
	length   int64 // of the body, -1 when not given
	chunked  bool
	http10   bool
	keepOpen bool // Connection: keep-alive
}

// ReadAnswer reads the next answer to its end.
//
// The states: the status line; header lines up to an empty one; with a 1xx status back to the status
// line; then a body that is absent, counted, chunked, or ends with the connection.
func (c *Conn) ReadAnswer(a *Answer) error {
	budget := AnswerBytesMax
	c.timed = false
	for range informationalMax {
		*a = Answer{}
		h := head{length: -1}
		if err := c.readStatus(a, &h, &budget); err != nil {
			return err
		}
		if err := c.readHeaders(a, &h, &budget); err != nil {
			return err
		}
		if a.Status == 101 {
			return ErrMalformed // nobody asked for another protocol
		}
		if a.Status >= 200 {
			a.HTTP10 = h.http10
			if h.http10 && !h.keepOpen {
				a.Close = true
			}
			return c.readBody(a, &h, budget)
		}
	}
	return ErrInformational
}

// ReadEarly reads an answer that may have come before its request was written, after Flush failed: it does not wait.
func (c *Conn) ReadEarly(a *Answer) error {
	c.patience = earlyPatience
	return c.ReadAnswer(a)
}

// line returns the next line without its end. Valid until the next read.
func (c *Conn) line(budget *int) ([]byte, error) {
	searched := 0
	for {
		if i := bytes.IndexByte(c.in[c.start+searched:c.end], '\n'); i >= 0 {
			line := c.in[c.start : c.start+searched+i]
			c.start += searched + i + 1
			if *budget -= len(line) + 1; *budget < 0 {
				return nil, ErrAnswerTooLarge
			}
			return bytes.TrimSuffix(line, crByte), nil
		}
		searched = c.end - c.start
		if err := c.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

var (
	crByte  = []byte{'\r'}
	http1   = []byte("HTTP/1.")
	chunked = []byte("chunked")
)

func (c *Conn) readStatus(a *Answer, h *head, budget *int) error {
	line, err := c.line(budget)
	if err != nil {
		return err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, http1) || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return ErrMalformed
	}
	h.http10 = line[7] == '0'
	for _, d := range line[9:12] {
		if d < '0' || d > '9' {
			return ErrMalformed
		}
		a.Status = a.Status*10 + int(d-'0')
	}
	if a.Status < 100 {
		return ErrMalformed
	}
	return nil
}

func (c *Conn) readHeaders(a *Answer, h *head, budget *int) error {
	for {
		line, err := c.line(budget)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			return ErrMalformed
		}
		value := bytes.Trim(line[colon+1:], " \t")
		// The length of a name tells most of them apart without a comparison.
		switch name := line[:colon]; len(name) {
		case len("Connection"):
			if fold(name, "connection") {
				a.Close = a.Close || hasToken(value, "close")
				h.keepOpen = h.keepOpen || hasToken(value, "keep-alive")
			}
		case len("Retry-After"):
			if fold(name, "retry-after") {
				a.RetryAfter = retryAfter(value, time.Now())
			}
		case len("Content-Length"):
			if !fold(name, "content-length") {
				continue
			}
			n, ok := number(value)
			if !ok || h.length >= 0 && h.length != n {
				return ErrMalformed
			}
			h.length = n
		case len("Transfer-Encoding"):
			if !fold(name, "transfer-encoding") {
				continue
			}
			if h.chunked || h.http10 || !bytes.EqualFold(value, chunked) {
				return ErrMalformed // in HTTP/1.0 there are no codings, and the framing is anybody's guess
			}
			h.chunked = true
		}
	}
}

func (c *Conn) readBody(a *Answer, h *head, budget int) error {
	switch {
	case h.chunked && h.length >= 0:
		return ErrMalformed // two parties could disagree about its end
	case a.Status == 204 || a.Status == 304:
		return nil
	case h.chunked:
		return c.readChunks(a, budget)
	case h.length > int64(budget):
		return ErrAnswerTooLarge
	case h.length >= 0:
		return c.discard(a, int(h.length))
	}
	a.Close = true
	for {
		n := c.end - c.start
		a.keep(c.in[c.start:c.end])
		c.start = c.end
		if budget -= n; budget < 0 {
			return ErrAnswerTooLarge
		}
		if err := c.fill(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (c *Conn) readChunks(a *Answer, budget int) error {
	for {
		line, err := c.line(&budget)
		if err != nil {
			return err
		}
		if len(line) > chunkLineBytesMax {
			return ErrMalformed
		}
		if i := bytes.IndexByte(line, ';'); i >= 0 {
			line = line[:i]
		}
		size, ok := hexNumber(bytes.TrimRight(line, " \t"))
		if !ok {
			return ErrMalformed
		}
		if size == 0 {
			break
		}
		if budget -= size; budget < 0 {
			return ErrAnswerTooLarge
		}
		if err := c.discard(a, size); err != nil {
			return err
		}
		if line, err = c.line(&budget); err != nil {
			return err
		}
		if len(line) != 0 {
			return ErrMalformed
		}
	}
	for { // trailers
		line, err := c.line(&budget)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
	}
}

// discard reads n bytes of a body.
func (c *Conn) discard(a *Answer, n int) error {
	for n > 0 {
		if c.start == c.end {
			if err := c.fill(); err != nil {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return err
			}
		}
		k := min(n, c.end-c.start)
		a.keep(c.in[c.start : c.start+k])
		c.start += k
		n -= k
	}
	return nil
}

// keep adds to the snippet what fits.
func (a *Answer) keep(b []byte) { a.kept += copy(a.snippet[a.kept:], b) }

// fold compares a name with a lower-case word of the same length, whatever the name's case.
func fold(name []byte, word string) bool {
	for i := range name {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// retryAfterMax is the longest that counts, in seconds.
const retryAfterMax = 1 << 30

// retryAfter reads seconds, or a date in one of the three forms of HTTP; what is neither counts as not given.
func retryAfter(value []byte, now time.Time) int {
	if n, ok := number(value); ok {
		return int(min(n, retryAfterMax))
	}
	if len(value) == 0 || len(value) > len("Wednesday, 06-Nov-94 08:49:37 GMT") {
		return 0
	}
	at, err := http.ParseTime(string(value))
	if err != nil || !at.After(now) {
		return 0
	}
	return int(min(int64((at.Sub(now)+time.Second-1)/time.Second), retryAfterMax))
}

// hasToken reports whether a comma-separated list holds a word, whatever its case.
func hasToken(list []byte, word string) bool {
	for len(list) > 0 {
		item := list
		if i := bytes.IndexByte(list, ','); i >= 0 {
			item, list = list[:i], list[i+1:]
		} else {
			list = nil
		}
		if item = bytes.Trim(item, " \t"); len(item) == len(word) && fold(item, word) {
			return true
		}
	}
	return false
}

func number(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func hexNumber(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 7 {
		return 0, false
	}
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | int(c)
	}
	return n, true
}
