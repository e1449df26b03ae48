package jsontext

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStructureText(t *testing.T) {
	f := func(object, want string, ok bool) {
		t.Helper()
		got, gotOK := ByProtocol([]byte(object), "http")
		if gotOK != ok || string(got) != want {
			t.Errorf("%s: got %q, %v", object, got, gotOK)
		}
	}
	f(`{"http":"x"}`, "x", true)
	f(`{"http":""}`, "", true)
	f(` { "default" : "d" , "http" : "x" } `, "x", true)
	f(`{"\u0068ttp":"x"}`, "x", true)
	f(`{"http":"a","http":"b"}`, "b", true)
	f(`{"http":"a","http":1}`, "a", true)
	f(`{"a":{"http":"no"},"b":["http","no"],"http":"x"}`, "x", true)
	f(`{"a":"\"http\":\"no\"","c":[{"d":[]},"]"],"http":"x\"y"}`, `x\"y`, true)
	f(`{"https":"x","httpx":"y","htt":"z","HTTP":"w"}`, "", false)
	f(`{"http":null}`, "", false)
	f(`{"http":{"http":"x"}}`, "", false)
	f(`{}`, "", false)
	f(``, "", false)
	f(`[]`, "", false)
	f(`"http"`, "", false)
	f(`{"http"`, "", false)
	f(`{"http":`, "", false)
	f(`{"http":"x`, "", false)
	f(`{"http":}`, "", false)
	f(`{"a":1 "http":"x"}`, "", false)
}

// FuzzStructureText compares with encoding/json wherever that accepts the object.
func FuzzStructureText(f *testing.F) {
	f.Add([]byte(`{"default":"d","http":"h \u00e9\n\ud83d\ude00"}`))
	f.Add([]byte(`{"a":[{"b":"]"},1.5e3,null],"http":"x","http":true}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		literal, ok := ByProtocol(object, "http") // whatever it is, no panic
		members := map[string]json.RawMessage{}
		if json.Unmarshal(object, &members) != nil || !utf8.Valid(object) {
			return
		}
		// The last string of the name counts, which a map cannot tell when another value follows it.
		value, there := members["http"]
		if !there {
			if ok {
				t.Fatalf("%s: got %q", object, literal)
			}
			return
		}
		if value[0] != '"' {
			return
		}
		var want string
		if err := json.Unmarshal(value, &want); err != nil {
			t.Fatal(err)
		}
		if got := AppendUnescaped(nil, literal); !ok || string(got) != want {
			t.Fatalf("%s: got %q, %v, want %q", object, got, ok, want)
		}
	})
}

// FuzzEscaped checks that what is escaped is JSON and reads as what went in.
func FuzzEscaped(f *testing.F) {
	f.Add("a \"b\"\n\x01 é \xff")
	f.Fuzz(func(t *testing.T, text string) {
		literal := AppendEscapedUpper(nil, []byte(text))
		var got string
		if err := json.Unmarshal([]byte(`"`+string(literal)+`"`), &got); err != nil {
			t.Fatalf("%q: %v in %q", text, err, literal)
		}
		want := string([]rune(text)) // each byte that is not UTF-8 is U+FFFD
		if got != want || string(AppendUnescaped(nil, literal)) != want {
			t.Fatalf("%q: got %q from %q", text, got, literal)
		}
	})
}

// FuzzUnescaped compares with encoding/json, and with a reading of one escape at a time whatever the literal is.
func FuzzUnescaped(f *testing.F) {
	f.Add(`\ud83d\ude00 \ud83d \ude00\n\/`)
	f.Add(`much text in which there is but one escape, \u00e9, and nothing behind it`)
	f.Add(`{\"a\":[\"b\",\"\\n\"],\"c\":\u`)
	f.Fuzz(func(t *testing.T, literal string) {
		got := AppendUnescaped([]byte("x"), []byte(literal))
		var want string
		if utf8.ValidString(literal) && json.Unmarshal([]byte(`"`+literal+`"`), &want) == nil && string(got) != "x"+want {
			t.Fatalf("%q: got %q, want %q", literal, got, want)
		}
		if want := unescapedSlowly(literal); string(got) != "x"+want {
			t.Fatalf("%q: got %q, want %q", literal, got, want)
		}
	})
}

func unescapedSlowly(literal string) string {
	var out []byte
	for i := 0; i < len(literal); i++ {
		if literal[i] != '\\' || i+1 == len(literal) {
			out = append(out, literal[i])
			continue
		}
		i++
		if literal[i] == 'u' {
			r, rest := unicodeEscape([]byte(literal[i+1:]))
			out = utf8.AppendRune(out, r)
			i = len(literal) - len(rest) - 1
		} else if at := strings.IndexByte("bfnrt", literal[i]); at >= 0 {
			out = append(out, "\b\f\n\r\t"[at])
		} else {
			out = append(out, literal[i])
		}
	}
	return string(out)
}

// FuzzIndexSpecial compares with a look at each byte.
func FuzzIndexSpecial(f *testing.F) {
	f.Add([]byte("!# a\x7f\x80\xa2\xdc é\x00"))
	f.Add([]byte("twenty bytes of text \" and more"))
	f.Fuzz(func(t *testing.T, text []byte) {
		want := bytes.IndexFunc(text, func(r rune) bool { return r == '"' || r == '\\' || r < ' ' })
		if want < 0 {
			want = len(text)
		}
		if got := IndexSpecial(text); got != want {
			t.Fatalf("%q: got %d, want %d", text, got, want)
		}
	})
}
