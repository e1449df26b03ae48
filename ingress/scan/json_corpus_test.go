package scan

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"fanfare/ingress/facetest"
)

// The corpus has the classes of the well-known public suite, and at least as many cases of each.
const (
	jsonAcceptMin = 95
	jsonRefuseMin = 188
	jsonEitherMin = 35
)

// corpusOf reads a file of the corpus and checks that it is as large as it should be, and that no name is there twice.
func corpusOf(t *testing.T, file, prefix string, atLeast int) []facetest.Case {
	t.Helper()
	cases := facetest.Corpus(t, file)
	seen := map[string]bool{}
	for _, c := range cases {
		if !strings.HasPrefix(c.Name, prefix) || seen[c.Name] {
			t.Errorf("%s: the name %s", file, c.Name)
		}
		seen[c.Name] = true
	}
	if len(cases) < atLeast {
		t.Errorf("%s: %d cases, want %d", file, len(cases), atLeast)
	}
	return cases
}

// TestJSONCorpus checks the scanner's verdict on each case, and that of encoding/json. They differ in two things:
// encoding/json lets bytes pass that are not UTF-8, where the scanner refuses the whole text, and it lets texts nest
// to a depth of 10,000, the scanner to JSONDepthMax. Members of one name may repeat for both.
func TestJSONCorpus(t *testing.T) {
	check := func(c facetest.Case, want bool) {
		t.Helper()
		_, err := readJSON(c.Text)
		if got := JSONValid(c.Text); got != want || (err == nil) != want {
			t.Errorf("%s: %v, read with %v: %.60q", c.Name, got, err, c.Text)
		}
		valid := json.Valid(c.Text)
		if oracle := valid && utf8.Valid(c.Text) && jsonDepth(c.Text) <= JSONDepthMax; oracle != want {
			t.Errorf("%s: encoding/json says %v: %.60q", c.Name, valid, c.Text)
		}
	}
	for _, c := range corpusOf(t, "testdata/json/accept.txt", "y_", jsonAcceptMin) {
		check(c, true)
	}
	for _, c := range corpusOf(t, "testdata/json/refuse.txt", "n_", jsonRefuseMin) {
		check(c, false)
		if utf8.Valid(c.Text) && json.Valid(c.Text) {
			t.Errorf("%s is JSON for encoding/json", c.Name)
		}
	}
	for _, c := range corpusOf(t, "testdata/json/either.txt", "i_", jsonEitherMin) {
		if c.Verdict != "accept" && c.Verdict != "refuse" {
			t.Errorf("%s: verdict %q", c.Name, c.Verdict)
		}
		check(c, c.Verdict == "accept")
	}
}

// TestJSONCorpusCut cuts and corrupts each short case at every byte: whatever comes of it, the scanner and
// encoding/json agree, and nothing panics.
func TestJSONCorpusCut(t *testing.T) {
	agree := func(name string, text []byte) {
		want := json.Valid(text) && utf8.Valid(text) && jsonDepth(text) <= JSONDepthMax
		if got := JSONValid(text); got != want {
			t.Errorf("%s: %q: %v", name, text, got)
		}
	}
	for _, file := range []string{"accept", "refuse", "either"} {
		for _, c := range facetest.Corpus(t, "testdata/json/"+file+".txt") {
			if len(c.Text) > 200 {
				continue
			}
			for i := range c.Text {
				agree(c.Name, c.Text[:i])
				changed := append([]byte(nil), c.Text...)
				for _, b := range []byte{0, ' ', '"', '\\', ',', '}', '1', 'e', 0x80, 0xff} {
					changed[i] = b
					agree(c.Name, changed)
				}
			}
		}
	}
}

// TestJSONDepthIsExact nests arrays, objects and both around every kind of value.
func TestJSONDepthIsExact(t *testing.T) {
	const limit = 64 // the exam's, which JSONDepthMax must not leave
	for _, value := range []string{"0", `""`, "null", "[]", "{}", `[1,{"a":2}]`} {
		for _, pair := range [][2]string{{"[", "]"}, {`{"a":`, "}"}, {`[0,`, ",1]"}, {`{"a":[],"b":`, `,"c":{}}`}} {
			inner := jsonDepth([]byte(value))
			for depth := limit - 1; depth <= limit+1; depth++ {
				text := strings.Repeat(pair[0], depth-inner) + value + strings.Repeat(pair[1], depth-inner)
				if got := JSONValid([]byte(text)); got != (jsonDepth([]byte(text)) <= limit) {
					t.Errorf("depth %d of %s around %s: %v", depth, pair, value, got)
				}
			}
		}
	}
}
