package ingress_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// The reference is a second, independent reading of RFC 9112: it decides where the requests of a stream end, and
// which have to be refused because two parties could disagree. It is strict but for what every reader of lines
// agrees about, and what fasthttp does not tell apart:
//
//   - a LF alone behind the request line, before it, and as the end of an empty trailer section (RFC 9112 section 2.2
//     lets a recipient take it for a line end);
//   - white space behind the size of a chunk;
//   - whatever stands in a chunk's extension, up to its CRLF;
//   - requests without a Host, as long as they have another header.
//
// It is stricter than the RFC about what nobody sends: trailers, folded lines, more than one Host, more than 15
// digits of a chunk's size.

// framed is what the reference says of one request: the reply that is due, and whether the connection is closed
// behind it.
type framed struct {
	reply  string
	closes bool
}

const (
	refused400 = "400"
	refused413 = "413"
	cutOff     = "cut off" // the stream ends inside of the request
)

// framedAll reads a whole stream.
func framedAll(stream []byte) []framed {
	var all []framed
	for {
		stream = skipEmptyLines(stream)
		if len(stream) == 0 {
			return all
		}
		one, rest := framedOne(stream)
		if all = append(all, one); one.closes {
			return all
		}
		stream = rest
	}
}

func skipEmptyLines(b []byte) []byte {
	for {
		switch {
		case bytes.HasPrefix(b, []byte("\r\n")):
			b = b[2:]
		case bytes.HasPrefix(b, []byte("\n")):
			b = b[1:]
		default:
			return b
		}
	}
}

// head is a request's head as the reference reads it.
type head struct {
	method, target string
	version        byte // the digit behind "HTTP/1."
	names, values  []string
}

func (h *head) all(name string) (values []string) {
	for i, n := range h.names {
		if strings.EqualFold(n, name) {
			values = append(values, h.values[i])
		}
	}
	return values
}

func framedOne(stream []byte) (framed, []byte) {
	refuse := framed{refused400, true}
	if !bytes.Contains(stream, []byte("\r\n\r\n")) {
		return framed{cutOff, true}, nil // fasthttp does not judge a head before it has seen this
	}
	h, rest, ok := readHead(stream)
	if !ok {
		return refuse, nil
	}
	body, rest, verdict := readBody(h, rest)
	if verdict != "" {
		return framed{verdict, true}, nil
	}
	return framed{fmt.Sprintf("200 %s %s %q", h.method, h.target, body), h.version == '0'}, rest
}

func readHead(stream []byte) (*head, []byte, bool) {
	line, rest, ok := bytes.Cut(stream, []byte("\n"))
	parts := strings.Split(strings.TrimSuffix(string(line), "\r"), " ")
	if !ok || len(parts) != 3 || !isToken(parts[0]) || parts[1] == "" || parts[1][0] != '/' || strings.ContainsFunc(parts[1], isControl) {
		return nil, nil, false
	}
	h := &head{method: parts[0], target: parts[1]}
	switch parts[2] {
	case "HTTP/1.0", "HTTP/1.1":
		h.version = parts[2][len(parts[2])-1]
	default:
		return nil, nil, false
	}
	for {
		line, rest, ok = bytes.Cut(rest, []byte("\n"))
		if !ok || len(line) == 0 || line[len(line)-1] != '\r' {
			return nil, nil, false // cut off, or a line that ends in LF alone
		}
		line = line[:len(line)-1]
		if len(line) == 0 {
			return h, rest, len(h.names) > 0 && len(h.all("Host")) < 2
		}
		name, value, ok := strings.Cut(string(line), ":")
		value = strings.Trim(value, " \t")
		if !ok || !isToken(name) || strings.ContainsFunc(strings.ReplaceAll(value, "\t", ""), isControl) {
			return nil, nil, false
		}
		h.names, h.values = append(h.names, name), append(h.values, value)
	}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func isToken(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// readBody reads the body that the head announces. The verdict is empty, or why the request is not answered.
func readBody(h *head, stream []byte) (body string, rest []byte, verdict string) {
	lengths, codings := h.all("Content-Length"), h.all("Transfer-Encoding")
	switch {
	case len(lengths)+len(codings) > 1:
		return "", nil, refused400
	case len(codings) == 1:
		if h.version == '0' || !strings.EqualFold(codings[0], "chunked") {
			return "", nil, refused400
		}
		return readChunks(stream)
	case len(lengths) == 0:
		return "", stream, ""
	}
	for _, c := range lengths[0] {
		if c < '0' || c > '9' {
			return "", nil, refused400
		}
	}
	n, err := strconv.ParseInt(lengths[0], 10, 64)
	switch {
	case err != nil:
		return "", nil, refused400
	case n > framingBodyMax:
		return "", nil, refused413
	case n > int64(len(stream)):
		return "", nil, cutOff
	}
	return string(stream[:n]), stream[n:], ""
}

func readChunks(stream []byte) (body string, rest []byte, verdict string) {
	for {
		line, after, ok := bytes.Cut(stream, []byte("\n"))
		size, valid := chunkSize(line)
		switch {
		case !ok:
			return "", nil, cutOff
		case !valid:
			return "", nil, refused400
		case size == 0:
			return readTrailer(body, after)
		case size > framingBodyMax:
			return "", nil, refused413
		case size+2 > int64(len(after)):
			return "", nil, cutOff
		case string(after[size:size+2]) != "\r\n":
			return "", nil, refused400
		}
		body += string(after[:size])
		stream = after[size+2:]
	}
}

// chunkSize reads the line of a chunk's size, of which the LF is cut off.
func chunkSize(line []byte) (int64, bool) {
	text, ok := strings.CutSuffix(string(line), "\r")
	if !ok || strings.Contains(text, "\r") {
		return 0, false
	}
	if digits, _, ok := strings.Cut(text, ";"); ok {
		text = digits
	} else {
		text = strings.TrimRight(text, " \t")
	}
	if len(text) > 15 || strings.Trim(text, "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	size, err := strconv.ParseInt(text, 16, 64)
	return size, err == nil
}

// readTrailer reads what is behind the last chunk, which must be an empty line.
func readTrailer(body string, stream []byte) (string, []byte, string) {
	for _, end := range []string{"\r\n", "\n"} {
		if rest, ok := bytes.CutPrefix(stream, []byte(end)); ok {
			return body, rest, ""
		}
	}
	return "", nil, refused400
}
