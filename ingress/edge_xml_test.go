//go:build !race

package ingress_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"fanfare/ingress/facetest"
)

// xmlFaces are the operations whose body is XML. The texts are those of the protocols' error tables.
var xmlFaces = []struct{ name, head, root, malformed, content string }{
	{
		"smq", headSMQ, `<Message xmlns="http://mns.aliyuncs.com/doc/v1/">`,
		"<Code>MalformedXML</Code><Message>The XML you provided was not well-formed.</Message>",
		"<Code>MalformedXML</Code><Message>The XML you provided was not well-formed.</Message>",
	},
	{
		"rocketmq", headRocketMQ, `<Message xmlns="http://mq.aliyuncs.com/doc/v1/">`,
		"<Code>MalformedXML</Code><Message>The XML you provided was not well-formed.</Message>",
		"<Code>InvalidContent</Code><Message>The content you send may contains illegal characters.</Message>",
	},
}

// xmlMemoryMax is what answering a document may allocate beyond the document itself.
const xmlMemoryMax = 1 << 20

// TestXMLCorpusAsBodies sends every text of the corpus as a publish to both faces that read XML: what is not
// well-formed, or has a markup declaration, is refused with the cloud's own error, and no case takes more memory than
// it has bytes, and 1 MiB.
func TestXMLCorpusAsBodies(t *testing.T) {
	h := newHandler(t)
	for _, face := range xmlFaces {
		for _, c := range facetest.Corpus(t, "scan/testdata/xml/accept.txt") {
			if status, body, _ := h.measured(t, withLength(face.head, string(c.Text))); status != 400 || strings.Contains(body, "MalformedXML") {
				t.Errorf("%s, %s: %d %.300s", face.name, c.Name, status, body)
			}
			// In a place where anything may stand, every one that may stand inside a document is passed over.
			inside := face.root + "<Other>" + string(c.Text) + "</Other><MessageBody>m</MessageBody></Message>"
			if strings.Contains(c.Name, "declaration") || strings.Contains(c.Name, "depth") {
				continue
			}
			if status, body, _ := h.measured(t, withLength(face.head, inside)); status != 201 {
				t.Errorf("%s, %s inside: %d %.300s", face.name, c.Name, status, body)
			}
		}
		for _, file := range []string{"refuse", "doctype"} {
			for _, c := range facetest.Corpus(t, "scan/testdata/xml/"+file+".txt") {
				// Another root is found out before what is wrong behind it.
				text := strings.ReplaceAll(string(c.Text), "<a", "<Message")
				text = strings.ReplaceAll(text, "</a", "</Message")
				status, body, bytes := h.measured(t, withLength(face.head, text))
				if status != 400 || !strings.Contains(body, "<Code>") {
					t.Errorf("%s, %s: %d %.300s", face.name, c.Name, status, body)
				}
				if file == "doctype" && !strings.Contains(body, face.malformed) {
					t.Errorf("%s, %s: %.300s, want %s", face.name, c.Name, body, face.malformed)
				}
				if c.Verdict == "character" && !strings.Contains(body, face.content) && !strings.Contains(body, "<Code>InvalidArgument</Code>") && !strings.Contains(body, face.malformed) {
					t.Errorf("%s, %s: %.300s, want %s", face.name, c.Name, body, face.content)
				}
				if bytes > uint64(len(text))+xmlMemoryMax {
					t.Errorf("%s, %s: %d bytes for a document of %d", face.name, c.Name, bytes, len(text))
				}
			}
		}
	}
}

// measured lets the face that claims a request answer it and counts what that allocates, without the reading of it.
func (h *handler) measured(t testing.TB, request string) (status int, body string, bytes uint64) {
	t.Helper()
	f, head := h.read(t, request)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f.Serve(&h.ctx, &head)
	runtime.ReadMemStats(&after)
	return h.ctx.Response.StatusCode(), string(h.ctx.Response.Body()), after.TotalAlloc - before.TotalAlloc
}

// xmlFamilies are documents that grow, each towards something that a careless reader pays for twice over: %R is the
// root's tag. The function returns a document of about n bytes.
var xmlFamilies = map[string]func(n int) string{
	"children":         func(n int) string { return "%R" + strings.Repeat("<x/>", n/4) + "</Message>" },
	"children of one":  func(n int) string { return "%R<y>" + strings.Repeat("<x/>", n/4) + "</y></Message>" },
	"open children":    func(n int) string { return "%R" + strings.Repeat("<x>", n/3) },
	"foreign children": func(n int) string { return "%R" + strings.Repeat("<p:x/>", n/6) + "</Message>" },
	"children declare": func(n int) string { return "%R" + strings.Repeat(`<x xmlns="u"/>`, n/14) + "</Message>" },
	"children escape": func(n int) string {
		return "%R" + strings.Repeat(`<x xmlns="`+strings.Repeat("&#x68;", 50)+`"/>`, n/314) + "</Message>"
	},
	"wide root":           func(n int) string { return wideRoot(n, `long="`+strings.Repeat("v", n/2)+`"`, "<x/>") },
	"wide root, prefixes": func(n int) string { return wideRoot(n, `long="`+strings.Repeat("v", n/2)+`"`, "<p:x/><q:x/>") },
	"wide root, many": func(n int) string {
		var all strings.Builder
		for i := range 60 {
			fmt.Fprintf(&all, ` xmlns:p%d="%s"`, i, strings.Repeat("v", n/120))
		}
		return wideRoot(n, all.String(), "<p59:x/><p0:x/>")
	},
	"wide root, escaped": func(n int) string { return wideRoot(n, `xmlns:p="`+strings.Repeat("&lt;", n/8)+`"`, "<p:x/>") },
	"root escaped":       func(n int) string { return `<Message xmlns="` + strings.Repeat("&lt;", n/4) + `"></Message>` },
	"notifications": func(n int) string {
		return "%R<MessageBody>m</MessageBody><MessageAttributes>" + strings.Repeat("<x/>", n/4) + "</MessageAttributes></Message>"
	},
	"notifications apart": func(n int) string {
		return "%R<MessageBody>m</MessageBody>" + strings.Repeat("<MessageAttributes><x/></MessageAttributes>", n/43) + "</Message>"
	},
	"empty properties": func(n int) string {
		return "%R<UserProperties>" + strings.Repeat("<x/>", n/4) + "</UserProperties></Message>"
	},
	"property parts": func(n int) string {
		return "%R<UserProperties><x>" + strings.Repeat("<Name>a</Name>", n/14) + "</x></UserProperties></Message>"
	},
	"properties":   func(n int) string { return "%R<Properties>" + strings.Repeat("a:b|", n/4) + "</Properties></Message>" },
	"empty bodies": func(n int) string { return "%R" + strings.Repeat("<MessageTag/>", n/13) + "</Message>" },
	"text in parts": func(n int) string {
		return "%R<MessageBody>" + strings.Repeat("x<!---->", n/8) + "</MessageBody></Message>"
	},
	"sections": func(n int) string {
		return "%R<MessageBody>" + strings.Repeat("<![CDATA[]]>", n/12) + "</MessageBody></Message>"
	},
	"brackets": func(n int) string {
		return "%R<MessageBody><![CDATA[" + strings.Repeat("]", n) + "]]></MessageBody></Message>"
	},
	"references": func(n int) string {
		return "%R<MessageBody>" + strings.Repeat("&amp;", n/5) + "</MessageBody></Message>"
	},
	"digits": func(n int) string {
		return "%R<MessageBody>&#" + strings.Repeat("0", n) + "65;</MessageBody></Message>"
	},
	"line ends":         func(n int) string { return "%R<MessageBody>" + strings.Repeat("\r", n) + "</MessageBody></Message>" },
	"comments":          func(n int) string { return "%R" + strings.Repeat("<!--x-->", n/8) + "</Message>" },
	"open comments":     func(n int) string { return "%R" + strings.Repeat("<!--x", n/5) },
	"instructions":      func(n int) string { return "%R" + strings.Repeat("<?x?>", n/5) + "</Message>" },
	"open instructions": func(n int) string { return "%R" + strings.Repeat("<?x ", n/4) },
	"open attributes":   func(n int) string { return "%R<x " + strings.Repeat(`a="`, n/3) },
	"same attributes":   func(n int) string { return "%R<x " + strings.Repeat(`a="" `, n/5) + "/></Message>" },
	"long names":        func(n int) string { return "%R" + longAttributes(n) + "</Message>" },
	"long name": func(n int) string {
		name := strings.Repeat("n", n/2)
		return "%R<" + name + "></" + name + "></Message>"
	},
	"depth":          func(n int) string { return strings.Repeat("<Message>", n/9) },
	"spaces":         func(n int) string { return strings.Repeat(" ", n) + "%R</Message>" },
	"spaces in tags": func(n int) string { return "%R<x" + strings.Repeat(" ", n) + "/></Message>" },
	"bomb": func(n int) string {
		return `<!DOCTYPE Message [<!ENTITY x "` + strings.Repeat("y", n/2) + `">]>%R` + strings.Repeat("&x;", n/6) + "</Message>"
	},
	"subset": func(n int) string {
		return `<!DOCTYPE Message [` + strings.Repeat(`<!ENTITY x "y">`, n/15) + "]>%R</Message>"
	},
	"declaration": func(n int) string {
		return `<?xml version="1.0" ` + strings.Repeat(`standalone="" `, n/14) + "?>%R</Message>"
	},
}

// wideRoot is a root with much in its tag, and children behind it that make up the other half.
func wideRoot(n int, attributes, child string) string {
	return "<Message " + attributes + ">" + strings.Repeat(child, n/2/len(child)) + "</Message>"
}

// longAttributes is an element with as many attributes as are allowed, with names of one length and one beginning.
func longAttributes(n int) string {
	var all strings.Builder
	for i := range 60 {
		fmt.Fprintf(&all, ` %s%d=""`, strings.Repeat("n", n/60), i)
	}
	return "<x" + all.String() + "/>"
}

// TestXMLGrowth sends documents of two sizes, one four times the other, and compares the times of the answers in one
// run: they must grow as the documents do, and not with their square. Neither may allocate more than its document and
// 1 MiB.
func TestXMLGrowth(t *testing.T) {
	const (
		small    = 96 << 10
		factor   = 4
		ratioMax = 10                    // linear is 4, quadratic 16
		floor    = 25 * time.Millisecond // what was quadratic took 85 ms at the least
		rounds   = 8
	)
	h := newHandler(t)
	for _, face := range xmlFaces {
		for name, family := range xmlFamilies {
			document := func(n int) string { return strings.Replace(family(n), "%R", face.root, 1) }
			request, larger := withLength(face.head, document(small)), withLength(face.head, document(small*factor))
			var one, four time.Duration
			linear := false
			for range rounds { // the shortest of several; a busy machine is given another chance
				one, four = h.shortest(t, request, one), h.shortest(t, larger, four)
				if linear = four < floor || four < ratioMax*one; linear {
					break
				}
			}
			if !linear {
				t.Errorf("%s, %s: %v for %d bytes, %v for %d", face.name, name, one, len(request), four, len(larger))
			}
			status, body, bytes := h.measured(t, larger)
			if status != 201 && (status != 400 || !strings.Contains(body, "<Code>")) {
				t.Errorf("%s, %s: %d %.300s", face.name, name, status, body)
			}
			if bytes > uint64(len(larger))+xmlMemoryMax {
				t.Errorf("%s, %s: %d bytes for a document of %d", face.name, name, bytes, len(larger))
			}
		}
	}
}

// shortest is the shorter of a time and that of answering a request now. 0 is no time.
func (h *handler) shortest(t testing.TB, request string, before time.Duration) time.Duration {
	t.Helper()
	f, head := h.read(t, request)
	begun := time.Now()
	f.Serve(&h.ctx, &head)
	took := time.Since(begun)
	if before > 0 {
		return min(before, took)
	}
	return took
}

// TestXMLFetchesNothing names an address of this machine, where somebody would notice, in everything that a reader
// of XML could follow.
func TestXMLFetchesNothing(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	h := newHandler(t)
	url := "http://" + ln.Addr().String() + "/x"
	for _, face := range xmlFaces {
		root := face.root[:len(face.root)-1]
		for _, document := range []string{
			`<!DOCTYPE Message SYSTEM "%s">` + face.root + "<MessageBody>m</MessageBody></Message>",
			`<!DOCTYPE Message PUBLIC "p" "%s">` + face.root + "<MessageBody>m</MessageBody></Message>",
			`<!DOCTYPE Message [<!ENTITY x SYSTEM "%s">]>` + face.root + "<MessageBody>&x;</MessageBody></Message>",
			`<!DOCTYPE Message [<!ENTITY %% x SYSTEM "%s">%%x;]>` + face.root + "<MessageBody>m</MessageBody></Message>",
			`<?xml-stylesheet type="text/xsl" href="%s"?>` + face.root + "<MessageBody>m</MessageBody></Message>",
			root + ` xmlns:xi="http://www.w3.org/2001/XInclude"><MessageBody>m</MessageBody><xi:include href="%s"/></Message>`,
			root + ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="u %s"><MessageBody>m</MessageBody></Message>`,
			root + ` xml:base="%s"><MessageBody>m</MessageBody></Message>`,
		} {
			if status, body := h.answer(t, withLength(face.head, fmt.Sprintf(document, url))); status != 201 && status != 400 {
				t.Errorf("%s: %d %s", document, status, body)
			}
		}
	}
	if err := ln.(*net.TCPListener).SetDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := ln.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("something was fetched: %v", err)
	}
}
