package ingress_test

import (
	"fmt"
	"strings"
)

// framingCase is a stream of bytes that begins with a request whose framing is in question.
type framingCase struct {
	about  string
	stream string
}

// framingCorpus makes the cases: every class of trick that moves the end of a request for one reader and not for
// another, each varied by what surrounds it.
type framingCorpus struct{ cases []framingCase }

// add appends a case. The head has no Host, and the request is followed by another one, which is answered as its own
// when the first is accepted.
func (c *framingCorpus) add(class, line, head, end, body string) {
	follower := fmt.Sprintf("GET /echo/follower-%d HTTP/1.1\r\nHost: x\r\n\r\n", len(c.cases))
	stream := line + "\r\nHost: x\r\n" + head + end + body + follower
	c.cases = append(c.cases, framingCase{fmt.Sprintf("%s %d: %q", class, len(c.cases), line+"|"+head+end+body), stream})
}

const (
	post       = "POST /echo/a HTTP/1.1"
	chunksABC  = "3\r\nabc\r\n0\r\n\r\n"
	lengthABC  = "Content-Length: 3\r\n"
	codingOnly = "Transfer-Encoding: chunked\r\n"
)

var (
	lengthValues = []string{
		"3", "03", "0000000000000000000003", "0", "+3", "-3", "-0", "3 ", "\t3", "3 3", "3,3", "3, 3", "3;3", "3.0", "3e0", "0x3", "0b11", "0o3",
		"3\x00", "\x003", "3\x0b", "3\x0c", "3a", "a", "", " ", "\"3\"", "'3'", "٣", "３", "3_0", "4", "2", "1048577", "9223372036854775807",
		"9223372036854775808", "18446744073709551619", "18446744073709551616", "340282366920938463463374607431768211459", "NaN", "3\r", "3\r\r",
	}
	codingValues = []string{
		"chunked", "Chunked", "CHUNKED", "chunked ", "\tchunked", "chunked\t", "identity", "Identity", "", " ", "chunked, chunked", "chunked,chunked",
		"chunked, identity", "identity, chunked", "gzip, chunked", "chunked, gzip", "gzip", "deflate", "xchunked", "chunkedx", "chunk", "chunked;q=1", "chunked; x",
		"\"chunked\"", "'chunked'", "chunked,", ",chunked", ", chunked", "chunked\x00", "\x00chunked", "chunked\x0b", "\x0bchunked", "\x0cchunked", "chunked\x0c",
		"chu\tnked", "chu nked", "chunKed", "ｃhunked", "chunſed", "cow", "trailers", "chunked\r", "chunked\x7f", "\xa0chunked", "chunked\x85",
	}
	// %s is the name.
	nameForms = []string{
		"%s", "%s ", "%s\t", " %s", "\t%s", "%s\x00", "\x00%s", "%s\x0b", "\x0b%s", "%s\r", "\r%s", "\xa0%s", "%s\xa0", "X %s", "X\t%s", "\"%s\"", "%s%%", "%s.", "_%s", "X-%s", "(%s)", "%s,", "@%s",
	}
	lineEnds = []string{"\r\n", "\n", "\r", "\r\r\n", "\n\r", "\n\r\n", "\r\n\r", " \r\n", "\t\r\n", "\x0b\r\n", "\x00\r\n", "\x0c\n", "\u2028", "\x85\r\n", "\r\n ", "\r\n\t", "\n ", "\r "}
	folds    = []string{"\r\n ", "\r\n\t", "\n ", "\n\t", "\r ", "\r\n  \t ", "\r\n \r\n ", " \r\n ", "\r\r\n "}
)

// names are the spellings of a header's name, most of which are no such header, or no header at all.
func names(name string) (all []string) {
	for _, form := range nameForms {
		all = append(all, strings.ReplaceAll(fmt.Sprintf(strings.ReplaceAll(form, "%%", "%%%%"), name), "%%", "%"))
	}
	dashless := strings.ReplaceAll(name, "-", "_")
	return append(all, strings.ToLower(name), strings.ToUpper(name), dashless, strings.ReplaceAll(name, "-", " "), strings.ReplaceAll(name, "-", ""),
		strings.ReplaceAll(name, "-", "\u2010"), strings.Replace(name, "e", "ｅ", 1), strings.Replace(name, "-", "--", 1))
}

func newFramingCorpus() []framingCase {
	var c framingCorpus
	c.lengths()
	c.codings()
	c.pairs()
	c.lines()
	c.chunks()
	c.trailers()
	c.firstLines()
	return c.cases
}

func (c *framingCorpus) lengths() {
	for _, value := range lengthValues {
		for _, name := range []string{"Content-Length", "content-length", "cONTENT-lENGTH"} {
			c.add("length", post, name+": "+value+"\r\n", "\r\n", "abc")
			c.add("length without a space", post, name+":"+value+"\r\n", "\r\n", "abc")
		}
		for _, method := range []string{"GET", "PUT", "DELETE", "OPTIONS", "X-A"} {
			c.add("length of "+method, method+" /echo/a HTTP/1.1", "Content-Length: "+value+"\r\n", "\r\n", "abc")
		}
	}
	for _, name := range names("Content-Length") {
		c.add("name of length", post, name+": 3\r\n", "\r\n", "abc")
		c.add("name of length beside another", post, name+": 3\r\nContent-Length: 0\r\n", "\r\n", "")
		c.add("name of length beside a coding", post, codingOnly+name+": 3\r\n", "\r\n", chunksABC)
	}
}

func (c *framingCorpus) codings() {
	for _, value := range codingValues {
		for _, name := range []string{"Transfer-Encoding", "transfer-encoding", "tRANSFER-eNCODING"} {
			c.add("coding", post, name+": "+value+"\r\n", "\r\n", chunksABC)
			c.add("coding without a space", post, name+":"+value+"\r\n", "\r\n", chunksABC)
		}
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			c.add("coding of "+method, method+" /echo/a HTTP/1.1", "Transfer-Encoding: "+value+"\r\n", "\r\n", chunksABC)
		}
		c.add("coding in 1.0", "POST /echo/a HTTP/1.0", "Transfer-Encoding: "+value+"\r\n", "\r\n", chunksABC)
		c.add("coding and length", post, "Transfer-Encoding: "+value+"\r\n"+lengthABC, "\r\n", chunksABC)
		c.add("length and coding", post, lengthABC+"Transfer-Encoding: "+value+"\r\n", "\r\n", chunksABC)
	}
	for _, name := range names("Transfer-Encoding") {
		c.add("name of coding", post, name+": chunked\r\n", "\r\n", chunksABC)
		c.add("name of coding beside a length", post, name+": chunked\r\nContent-Length: 13\r\n", "\r\n", chunksABC)
		c.add("name of coding behind a length", post, "Content-Length: 13\r\n"+name+": chunked\r\n", "\r\n", chunksABC)
	}
}

// pairs says it twice.
func (c *framingCorpus) pairs() {
	between := []string{"", "X: y\r\n", "X: y\r\nZ: " + strings.Repeat("z", 300) + "\r\n"}
	for _, a := range []string{"3", "0", "03", "4", "+3", ""} {
		for _, b := range []string{"3", "0", "13", "x"} {
			for _, gap := range between {
				c.add("two lengths", post, "Content-Length: "+a+"\r\n"+gap+"content-length: "+b+"\r\n", "\r\n", "abc")
			}
		}
	}
	for _, a := range []string{"chunked", "identity", "", "gzip", "x"} {
		for _, b := range []string{"chunked", "identity", "", "gzip"} {
			for _, gap := range between {
				c.add("two codings", post, "Transfer-Encoding: "+a+"\r\n"+gap+"transfer-encoding: "+b+"\r\n", "\r\n", chunksABC)
			}
		}
	}
	for _, line := range []string{post, "GET /echo/a HTTP/1.1", "POST /echo/a HTTP/1.0"} {
		for _, gap := range between {
			for _, n := range []string{"0", "3", "13", "5"} {
				c.add("both", line, "Content-Length: "+n+"\r\n"+gap+codingOnly, "\r\n", chunksABC)
				c.add("both", line, codingOnly+gap+"Content-Length: "+n+"\r\n", "\r\n", chunksABC)
			}
		}
	}
}

// lines ends and folds header lines in odd ways.
func (c *framingCorpus) lines() {
	heads := []string{"Content-Length: 3%s", "Transfer-Encoding: chunked%s", "X: y%sContent-Length: 3\r\n", "X: y%sTransfer-Encoding: chunked\r\n", "Content-Length: 3%sX: y\r\n", "X%s: y\r\n", "X:%s y\r\n"}
	for _, head := range heads {
		body := "abc"
		if strings.Contains(head, "chunked") {
			body = chunksABC
		}
		for _, end := range lineEnds {
			for _, blank := range []string{"\r\n", "\n"} {
				c.add("line end", post, fmt.Sprintf(head, end), blank, body)
			}
		}
	}
	for _, fold := range folds {
		for _, head := range []string{
			"Content-Length:" + fold + "3\r\n", "Content-Length: 3" + fold + "\r\n", "Content-Length: 3" + fold + "3\r\n", "X: y" + fold + "Content-Length: 3\r\n",
			"Transfer-Encoding:" + fold + "chunked\r\n", "Transfer-Encoding: chunked" + fold + "\r\n", "X: y" + fold + "Transfer-Encoding: chunked\r\n",
			"Transfer-Encoding: x" + fold + "chunked\r\n", lengthABC + "Transfer-Encoding:" + fold + "chunked\r\n", "Content-Length" + fold + ": 3\r\n", fold + "Content-Length: 3\r\n",
		} {
			body := "abc"
			if strings.Contains(head, "chunked") {
				body = chunksABC
			}
			c.add("fold", post, head, "\r\n", body)
		}
	}
	for _, blank := range []string{"\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\r\r\n", " \r\n", "\t\r\n", "\x00\r\n", "\n\r\n", ":\r\n\r\n", ": y\r\n\r\n", "X\r\n\r\n", "=\r\n\r\n", "GET /echo/b HTTP/1.1\r\n\r\n"} {
		c.add("empty line", post, "", blank, "")
		c.add("empty line behind a length", post, "Content-Length: 0\r\n", blank, "")
		c.add("empty line behind a coding", post, codingOnly, blank, chunksABC)
	}
}

// chunks varies the line of a chunk's size, and the end of its data.
func (c *framingCorpus) chunks() {
	sizes := []string{
		"3", "03", "000000000000003", "0000000000000003", "00000000000000000003", "+3", "-3", "-0", "0x3", "0X3", "3x", "3h", "g", "", " 3", "\t3", "3 ", "3\t", "3 \t ", "\"3\"", "3,3", "3.0", "3 3",
		"\x003", "3\x00", "3\x0b", "\x0b3", "٣", "4", "2", "fffffffffffffff", "ffffffffffffffff", "7fffffffffffffff", "8000000000000003", "10000000000000003", "100000003", "200000", "3\r", "3\r\r", "3_", "_3",
	}
	extensions := []string{"", ";", ";a", ";a=b", ";a=\"b\"", ";a=\"b", " ;a", "\t;a", "; a = b ", ";;;", ";\x00", ";a\n", ";a\rb", ";a\r\r", ";" + strings.Repeat("x", 200), " a", ",a", ";3\r\nabc"}
	for _, size := range sizes {
		for _, extension := range extensions {
			c.add("chunk", post, codingOnly, "\r\n", size+extension+"\r\nabc\r\n0\r\n\r\n")
		}
		c.add("chunk size and LF", post, codingOnly, "\r\n", size+"\nabc\r\n0\r\n\r\n")
		c.add("last chunk", post, codingOnly, "\r\n", "3\r\nabc\r\n"+size+"\r\n\r\n")
	}
	for _, end := range []string{"\r\n", "\n", "\r", "", "\r\r\n", "\n\r\n", " \r\n", "x\r\n", "\r\n\r\n", "xx", "\x00\n"} {
		c.add("end of a chunk", post, codingOnly, "\r\n", "3\r\nabc"+end+"0\r\n\r\n")
		c.add("end of the second chunk", post, codingOnly, "\r\n", "1\r\na\r\n2;x\r\nbc"+end+"0\r\n\r\n")
	}
	for _, zero := range []string{"0", "00", "000000000000000", "0000000000000000", "0;a=b", "0 ", "-0", "0x0", "", "O", "0\x00"} {
		for _, end := range []string{"\r\n\r\n", "\n\n", "\r\n\n", "\n\r\n", "\r\r", "\r\n"} {
			c.add("last chunk", post, codingOnly, "\r\n", "3\r\nabc\r\n"+zero+end)
		}
	}
}

func (c *framingCorpus) trailers() {
	for _, field := range []string{
		"X: y", "Content-Length: 5", "Transfer-Encoding: chunked", "Host: y", "Trailer: X", "X : y", " X: y", "X", ": y", "X: y\x00", "X: a\r\n b", "X: a\n", "GET /echo/b HTTP/1.1", "X-Y: " + strings.Repeat("z", 500),
	} {
		for _, end := range []string{"\r\n\r\n", "\n\r\n", "\r\n\n", "\n\n", "\r\r\n"} {
			c.add("trailer", post, codingOnly, "\r\n", "3\r\nabc\r\n0\r\n"+field+end)
		}
		c.add("announced trailer", post, codingOnly+"Trailer: X\r\n", "\r\n", "3\r\nabc\r\n0\r\n"+field+"\r\n\r\n")
	}
}

// firstLines varies the line before, and what comes with it.
func (c *framingCorpus) firstLines() {
	for _, line := range []string{
		"POST /echo/a HTTP/1.1", "POST /echo/a HTTP/1.0", "POST  /echo/a HTTP/1.1", "POST /echo/a  HTTP/1.1", "POST\t/echo/a\tHTTP/1.1", " POST /echo/a HTTP/1.1", "POST /echo/a HTTP/1.1 ", "POST /echo/a",
		"POST /echo/a http/1.1", "POST /echo/a HTTP/1.1\r", "POST /echo/a b HTTP/1.1", "POST /echo/\x00 HTTP/1.1", "POST /echo/a HTTP/11", "POST /echo/a HTTP/1.1.1", "POST /echo/a HTTP/+1.1", "P\x00ST /echo/a HTTP/1.1",
		"POST: /echo/a HTTP/1.1", "(POST) /echo/a HTTP/1.1", "POST echo/a HTTP/1.1", "POST /echo/a HTTP/1.1\r\nHost: y", "POST /echo/a HTTP/1.1\nX: y",
	} {
		for _, before := range []string{"", "\r\n", "\n", "\r\n\r\n", "\r", " \r\n", "\x00", "3\r\n"} {
			c.add("first line", before+line, lengthABC, "\r\n", "abc")
		}
		c.add("first line and chunks", line, codingOnly, "\r\n", chunksABC)
	}
	for _, end := range []string{"\r\n\r\n", "\r\n\n", "\n\n", "\n\r\n"} {
		stream := "GET /echo/a HTTP/1.1" + end + "GET /echo/b HTTP/1.1\r\nHost: x\r\n\r\n"
		c.cases = append(c.cases, framingCase{fmt.Sprintf("no headers: %q", end), stream})
	}
	// A request hidden in the body of another is a body.
	hidden := "GET /echo/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	c.add("hidden by a length", post, fmt.Sprintf("Content-Length: %d\r\n", len(hidden)), "\r\n", hidden)
	c.add("hidden by a chunk", post, codingOnly, "\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden))
	c.add("hidden by both", post, fmt.Sprintf("Content-Length: %d\r\n", len(hidden)+5)+codingOnly, "\r\n", "0\r\n\r\n"+hidden)
	c.add("hidden behind no length", post, "", "\r\n", hidden)
}
