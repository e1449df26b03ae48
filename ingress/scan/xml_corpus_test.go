package scan

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"fanfare/ingress/facetest"

	"github.com/google/go-cmp/cmp"
)

// The corpus is this large at least.
const (
	xmlAcceptMin  = 100
	xmlRefuseMin  = 200
	xmlDoctypeMin = 150

	xmlOracleMax = 64 << 10 // bytes of a document that encoding/xml is asked about; it takes its time
)

// TestXMLCorpus checks the scanner's verdict on each case, and its tokens against those of encoding/xml.
func TestXMLCorpus(t *testing.T) {
	for _, c := range corpusOf(t, "testdata/xml/accept.txt", "wf_", xmlAcceptMin) {
		got, err := xmlTokens(c.Text)
		if err != nil {
			t.Errorf("%s: %v: %.60q", c.Name, err, c.Text)
			continue
		}
		if len(c.Text) > xmlOracleMax {
			continue
		}
		want, ok, open := xmlOracle(c.Text)
		if !ok && !open {
			t.Errorf("%s: encoding/xml refuses it: %.60q", c.Name, c.Text)
		}
		if ok {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-encoding/xml +scanner):\n%.400s", c.Name, diff)
			}
		}
	}
	faults := map[string]error{"syntax": ErrXMLSyntax, "encoding": ErrXMLEncoding, "character": ErrXMLCharacter, "limit": ErrXMLLimit}
	for _, c := range corpusOf(t, "testdata/xml/refuse.txt", "", xmlRefuseMin) {
		want := faults[c.Verdict]
		if _, err := xmlTokens(c.Text); want == nil || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %s: %.60q", c.Name, err, c.Verdict, c.Text)
		}
		if len(c.Text) > xmlOracleMax {
			continue
		}
		if _, ok, open := xmlOracle(c.Text); ok && !open {
			t.Errorf("%s: encoding/xml accepts it: %.60q", c.Name, c.Text)
		}
	}
}

// TestXMLCorpusDoctypes checks that a markup declaration is refused before what it says is read.
func TestXMLCorpusDoctypes(t *testing.T) {
	for _, c := range corpusOf(t, "testdata/xml/doctype.txt", "", xmlDoctypeMin) {
		var s XML
		s.Reset(c.Text)
		kind := s.Next()
		for kind != XMLInvalid && kind != XMLEnd {
			kind = s.Next()
		}
		if !errors.Is(s.Err(), ErrXMLDoctype) {
			t.Errorf("%s: %v: %.60q", c.Name, s.Err(), c.Text)
		}
		if begin := bytes.Index(skipLiterals(c.Text), []byte("<!")); s.at != begin {
			t.Errorf("%s: stopped at %d, it begins at %d: %.60q", c.Name, s.at, begin, c.Text)
		}
	}
}

// skipLiterals blanks the comments and CDATA sections of the corpus, which have no others inside.
func skipLiterals(text []byte) []byte {
	for _, literal := range []string{"<!-- -->", "<![CDATA[x]]>"} {
		if i := bytes.Index(text, []byte(literal)); i >= 0 && i < 20 {
			text = append(append(bytes.Clone(text[:i]), bytes.Repeat([]byte{' '}, len(literal))...), text[i+len(literal):]...)
		}
	}
	return text
}

// TestXMLCorpusMemory checks that no document makes the scanner allocate, however it is built.
func TestXMLCorpusMemory(t *testing.T) {
	const slack = 64 << 10 // of the runtime's own, between two readings
	var before, after runtime.MemStats
	var s XML
	for _, file := range []string{"accept", "refuse", "doctype"} {
		for _, c := range facetest.Corpus(t, "testdata/xml/"+file+".txt") {
			runtime.ReadMemStats(&before)
			for s.Reset(c.Text); s.Next() > XMLEnd; {
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > slack {
				t.Errorf("%s: %d bytes for a document of %d", c.Name, n, len(c.Text))
			}
		}
	}
}
