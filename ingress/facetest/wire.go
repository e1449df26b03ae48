package facetest

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/ingress"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

var update = flag.Bool("update", false, "rewrite the golden files with what came out")

// RunWire runs every txtar file of a folder. A file is a comment that names the source, then the sections
//
//	-- request --   the bytes of the request; line ends of the head are LF in the file and CRLF on the
//	                wire; a missing Content-Length is added; the line end behind the body is not sent
//	-- message --   what was published, as Describe prints it; empty when nothing must be
//	-- response --  the reply, head and body; ids and the date, which differ from run to run, are masked
//
// setup makes the face on a fresh engine, with the topics and subscriptions the case needs.
func RunWire(t *testing.T, dir string, setup func(t *testing.T, e *engine.Engine) ingress.Face) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files in %s (%v)", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			section := map[string][]byte{}
			for _, f := range archive.Files {
				section[f.Name] = f.Data
			}
			recorder := &Recorder{}
			e := NewEngine(t, nil, recorder)
			face := setup(t, e)
			response := Do(t, face, Request(section["request"]))
			e.Close() // everything accepted is dispatched behind this
			message := strings.Join(recorder.Messages(), "\n")
			if *update {
				archive.Files = []txtar.File{
					{Name: "request", Data: section["request"]},
					{Name: "message", Data: []byte(message)},
					{Name: "response", Data: []byte(Mask(response))},
				}
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(section["message"]), message); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(string(section["response"]), Mask(response)); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

// Requests are heads and bodies of the requests of golden files, for the seeds of fuzz tests.
func Requests(t testing.TB, pattern string) iter.Seq2[string, string] {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files at %s (%v)", pattern, err)
	}
	return func(yield func(head, body string) bool) {
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, body, _ := strings.Cut(string(Request(archive.Files[0].Data)), "\r\n\r\n")
			if !yield(head, body) {
				return
			}
		}
	}
}

// Request turns the request section of a golden file into the bytes on the wire.
func Request(section []byte) []byte {
	head, body, _ := bytes.Cut(section, []byte("\n\n"))
	head = bytes.Clone(bytes.TrimSuffix(head, []byte("\n"))) // it grows below, and the body lies behind it
	body = bytes.TrimSuffix(body, []byte("\n"))
	lower := bytes.ToLower(head)
	if !bytes.Contains(lower, []byte("\ncontent-length:")) && !bytes.Contains(lower, []byte("\ntransfer-encoding:")) {
		head = fmt.Appendf(head, "\nContent-Length: %d", len(body))
	}
	if !bytes.Contains(lower, []byte("\nhost:")) {
		head = append(head, "\nHost: fanfare.test"...)
	}
	wire := bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n"))
	return append(append(wire, "\r\n\r\n"...), body...)
}

// Do sends raw bytes to the real server in front of the face and returns the raw reply to the first request.
func Do(t testing.TB, face ingress.Face, request []byte) []byte {
	t.Helper()
	ln := fasthttputil.NewInmemoryListener()
	server := ingress.New(ingress.Options{HeadTimeout: 2 * time.Second}, face)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	defer func() {
		_ = ln.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	conn, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { _, _ = conn.Write(request) }() // a refused request may not be read to its end
	var reply bytes.Buffer
	var response fasthttp.Response
	if bytes.HasPrefix(request, []byte("HEAD ")) {
		response.SkipBody = true
	}
	// The tee keeps the bytes as they came; parsing only finds the end.
	tee := bufio.NewReader(teeReader{conn, &reply})
	if err := response.Read(tee); err != nil {
		t.Fatalf("reading the reply: %v; got %q", err, reply.Bytes())
	}
	return reply.Bytes()[:reply.Len()-tee.Buffered()]
}

type teeReader struct {
	r interface{ Read([]byte) (int, error) }
	w *bytes.Buffer
}

func (t teeReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.w.Write(p[:n])
	return n, err
}

var masks = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?m)^Date: .*`), "Date: <DATE>"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`), "<UUID>"},
	{regexp.MustCompile(`(?m)^(x-m[nq]s?-request-id): [0-9A-F]{24}$`), "$1: <REQUEST-ID>"},
	{regexp.MustCompile(`<RequestId>[0-9A-F]{24}</RequestId>`), "<RequestId><REQUEST-ID></RequestId>"},
	{regexp.MustCompile(`<MessageId>[0-9A-F]{32}</MessageId>`), "<MessageId><MESSAGE-ID></MessageId>"},
	{regexp.MustCompile(`("[A-Za-z]+Timestamp":"?|<Name>[A-Za-z]+Timestamp</Name><Value>)[0-9]{10,13}`), "$1<TIME>"},
	{regexp.MustCompile(`(?m)^(X-Request-Id): [0-9a-f]{32}$`), "$1: <REQUEST-ID>"},
	{regexp.MustCompile(`"(request_id|message_id)":"[0-9a-f]{32}"`), `"$1":"<ID>"`},
	{regexp.MustCompile(`"(msg_id|id)":"[0-9A-F]{32}"`), `"$1":"<ID>"`},
	{regexp.MustCompile(`"UNIQ_KEY","value":"[0-9A-F]{32}"`), `"UNIQ_KEY","value":"<ID>"`},
}

// Mask replaces what differs from run to run, and the CRs of line ends, so that replies can be compared.
func Mask(reply []byte) string {
	s := strings.ReplaceAll(string(reply), "\r\n", "\n")
	for _, m := range masks {
		s = m.re.ReplaceAllString(s, m.with)
	}
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}
