package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Each special byte at each position, in and around the words of eight bytes.
func TestTextAtEveryOffset(t *testing.T) {
	for _, piece := range []string{`"`, `\`, "\n", "\x00", "\x1f", "é", "\x7f", "\xff", "\U0001F600", "\u2028", "<>&", "\b\f\r\t"} {
		for at := range 20 {
			text := strings.Repeat("x", at) + piece + strings.Repeat("y", 20-at)
			literal := AppendEscaped(nil, []byte(text))
			var back string
			if err := json.Unmarshal([]byte(`"`+string(literal)+`"`), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") {
				t.Fatalf("%q became %q: %v", text, literal, err)
			}
			if got := AppendUnescaped(nil, literal); string(got) != back {
				t.Fatalf("%q came back as %q", literal, got)
			}
		}
	}
}

func TestAppendUnescaped(t *testing.T) {
	f := func(literal, want string) {
		t.Helper()
		if got := AppendUnescaped(nil, []byte(literal)); string(got) != want {
			t.Errorf("%q: got %q, want %q", literal, got, want)
		}
	}
	f(`\"\\\/\b\f\n\r\t`, "\"\\/\b\f\n\r\t")
	f(`\u00e9\uD83D\uDE00`, "é\U0001F600")
	f(`\ud800`, "\ufffd")
	f(`\ud800x`, "\ufffdx")
	f(`\ud800\u0041`, "\ufffdA")
	f(`\ud800\n`, "\ufffd\n")
	f(`\udc00\ud800\udc00`, "\ufffd\U00010000")
	f(`\u12`, "\ufffd")
	f(`\u12g4x`, "\ufffdx")
	f(`\q`, "q")
	f(`a\`, `a\`)
}

func TestByProtocol(t *testing.T) {
	f := func(object, want string, wantOK bool) {
		t.Helper()
		if got, ok := ByProtocol([]byte(object), "http"); ok != wantOK || string(got) != want {
			t.Errorf("%s: got %q, %v", object, got, ok)
		}
	}
	f(`{"default":"d","http":"h"}`, "h", true)
	f(" {\n\"http\" :\t\"h\" , \"default\":\"d\" } ", "h", true)
	f(`{"http":"a\"b"}`, `a\"b`, true)
	f(`{"http":""}`, "", true)
	f(`{"\u0068ttp":"h"}`, "h", true)
	f(`{"http":"a","http":"b"}`, "b", true)
	f(`{"http":"a","http":1}`, "a", true)
	f(`{"x":{"http":"no","y":["}"]},"a":[1,{"b":"]"}],"n":null,"http":"h"}`, "h", true)
	f(`{"default":"http"}`, "", false)
	f(`{"https":"h"}`, "", false)
	f(`{"http":1}`, "", false)
	f(`{}`, "", false)
	f(``, "", false)
	f(`[]`, "", false)
	f(`{"http"`, "", false)
	f(`{"http":`, "", false)
	f(`{"http":"h`, "", false)
	f(`{"http":"h\`, "", false)
	f(`{"a":[1,"http":"h"`, "", false)
}

func FuzzByProtocol(f *testing.F) {
	for _, seed := range []string{`{"default":"d","http":"h"}`, `{"a":[1,{"b":"]"}],"http":"\u00e9"}`, `{"http"`, `{"http":"a","http":1}`, `{"\u0068ttp":"h"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		literal, ok := ByProtocol(object, "http")
		text := AppendUnescaped(nil, literal)
		if escaped := `"` + string(AppendEscaped(nil, text)) + `"`; !json.Valid([]byte(escaped)) {
			t.Fatalf("%q", escaped)
		}
		// Where every member is a string, encoding/json says the same.
		var texts map[string]string
		if json.Unmarshal(object, &texts) == nil && texts != nil && utf8.Valid(object) && !strings.Contains(string(object), "null") {
			want, wantOK := texts["http"]
			if ok != wantOK || string(text) != want {
				t.Fatalf("%q: got %q, %v, want %q, %v", object, text, ok, want, wantOK)
			}
		}
	})
}
