package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"fanfare/engine/jsontext"
)

// readJSON builds the value of a text the way encoding/json does with UseNumber.
func readJSON(text []byte) (any, error) {
	var s JSON
	s.Reset(text)
	v := readJSONValue(&s, s.Next())
	if s.Next() != JSONEnd {
		return nil, s.Err()
	}
	return v, nil
}

func readJSONValue(s *JSON, kind JSONKind) any {
	switch kind {
	case JSONObject:
		object := map[string]any{}
		for s.Next() == JSONKey {
			key := string(s.Key(nil))
			object[key] = readJSONValue(s, s.Next())
		}
		return object
	case JSONArray:
		array := []any{}
		for {
			kind := s.Next()
			if kind == JSONArrayEnd || kind == JSONInvalid {
				return array
			}
			array = append(array, readJSONValue(s, kind))
		}
	case JSONString:
		return string(jsontext.AppendUnescaped(nil, s.Text()))
	case JSONNumber:
		return json.Number(s.Text())
	case JSONTrue:
		return true
	case JSONFalse:
		return false
	default:
		return nil
	}
}

// decodeJSON is the oracle.
func decodeJSON(t testing.TB, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("oracle refuses %q: %v", text, err)
	}
	return v
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

var jsonAccepted = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `""`, ` [ ] `, "\t{\r\n}\n",
	`-12.5e+3`, `1E400`, `0.0`, `10`, `123456789012345678901234567890`,
	`{"a":1,"a":2}`, `{"a":{"b":[1,{"c":null}]},"d":"e"}`, `{"":""}`,
	`"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"`, `"\ud800"`, `"\udc00x"`, `"\ud800\ud800\udc00"`, `"\ud800A"`,
	"\"\x7f\u2028é漢\U0001F600\"", `{"\u0061":1,"a":2}`, `[1,[2,[3,[4]]],{"x":[]}]`, `"12345678\"90123456\\7"`,
	nested(JSONDepthMax), strings.Repeat(`{"a":`, JSONDepthMax-1) + `[]` + strings.Repeat(`}`, JSONDepthMax-1),
}

func TestJSONReadsWhatEncodingJSONReads(t *testing.T) {
	for _, text := range jsonAccepted {
		got, err := readJSON([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if want := decodeJSON(t, []byte(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v, want %#v", text, got, want)
		}
	}
}

func TestJSONRefuses(t *testing.T) {
	f := func(text string, want error) {
		t.Helper()
		if _, err := readJSON([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
		if JSONValid([]byte(text)) {
			t.Errorf("%q: valid", text)
		}
	}
	f(``, ErrJSONTruncated)
	f(`  `, ErrJSONTruncated)
	f(`{`, ErrJSONTruncated)
	f(`[1`, ErrJSONTruncated)
	f(`[1,`, ErrJSONTruncated)
	f(`{"a"`, ErrJSONTruncated)
	f(`{"a":`, ErrJSONTruncated)
	f(`"abc`, ErrJSONTruncated)
	f(`"abc\`, ErrJSONTruncated)
	f(`-`, ErrJSONTruncated)
	f(`1.`, ErrJSONTruncated)
	f(`1e+`, ErrJSONTruncated)
	f(`tru`, ErrJSONTruncated)
	f("\ufeff{}", ErrJSONSyntax)
	f(`{} {}`, ErrJSONSyntax)
	f(`{}x`, ErrJSONSyntax)
	f("{}\x00", ErrJSONSyntax)
	f(`[1,]`, ErrJSONSyntax)
	f(`[,1]`, ErrJSONSyntax)
	f(`{"a":1,}`, ErrJSONSyntax)
	f(`{"a" 1}`, ErrJSONSyntax)
	f(`{a:1}`, ErrJSONSyntax)
	f(`{'a':1}`, ErrJSONSyntax)
	f(`{1:1}`, ErrJSONSyntax)
	f(`[1}`, ErrJSONSyntax)
	f(`{"a":1]`, ErrJSONSyntax)
	f(`]`, ErrJSONSyntax)
	f(`01`, ErrJSONSyntax)
	f(`-01`, ErrJSONSyntax)
	f(`+1`, ErrJSONSyntax)
	f(`.5`, ErrJSONSyntax)
	f(`1.x`, ErrJSONSyntax)
	f(`0x10`, ErrJSONSyntax)
	f(`NaN`, ErrJSONSyntax)
	f(`Infinity`, ErrJSONSyntax)
	f(`nul1`, ErrJSONSyntax)
	f(`TRUE`, ErrJSONSyntax)
	f(`"\x41"`, ErrJSONSyntax)
	f(`"\u12g4"`, ErrJSONSyntax)
	f(`"\u12"`, ErrJSONSyntax)
	f(`"\U00e9"`, ErrJSONSyntax)
	f("\"a\nb\"", ErrJSONSyntax)
	f("\"12345678\x1f\"", ErrJSONSyntax)
	f("\"\x00\"", ErrJSONSyntax)
	f("/*c*/1", ErrJSONSyntax)
	f("1 // c", ErrJSONSyntax)
	f("\"\xff\"", ErrJSONUTF8)
	f("\"\xc3\"", ErrJSONUTF8)
	f("\"\xed\xa0\x80\"", ErrJSONUTF8) // a surrogate in UTF-8
	f("\"\xc0\x80\"", ErrJSONUTF8)     // NUL, overlong
	f(nested(JSONDepthMax+1), ErrJSONDepth)
	f(strings.Repeat("[", 1_000_000), ErrJSONDepth)
	f(strings.Repeat(`{"a":`, 100_000), ErrJSONDepth)
}

func TestJSONStaysAtFault(t *testing.T) {
	var s JSON
	s.Reset([]byte(`[1 2]`))
	for range 2 {
		s.Next()
	}
	for range 3 {
		if kind := s.Next(); kind != JSONInvalid || s.Err() == nil || s.Skip() != nil || len(s.Text()) != 0 {
			t.Fatalf("got %v, %v", kind, s.Err())
		}
	}
}

func TestJSONSkip(t *testing.T) {
	f := func(value string) {
		t.Helper()
		var s JSON
		s.Reset([]byte(`{"a": ` + value + ` , "b":1}`))
		s.Next()
		s.Next()
		s.Next()
		if got := s.Skip(); string(got) != value {
			t.Errorf("got %q, want %q", got, value)
		}
		if s.Next() != JSONKey || string(s.Text()) != "b" {
			t.Errorf("behind %s: %q", value, s.Text())
		}
	}
	f(`1`)
	f(`"x\"y"`)
	f(`""`)
	f(`null`)
	f(`{}`)
	f(`[]`)
	f(`[1, {"x": [2, "]"]}, 3]`)
	f(`{"x": {"y": "}"}}`)
}

// Each escape and each position of a special byte, in and around the words of eight bytes.
func TestJSONTextAtEveryOffset(t *testing.T) {
	for _, piece := range []string{`"`, `\`, "\n", "\x00", "\x1f", "é", "\x7f", "\xff", "\U0001F600", "\u2028", "<>&"} {
		for at := range 20 {
			text := strings.Repeat("x", at) + piece + strings.Repeat("y", 20-at)
			quoted := jsontext.AppendString(nil, []byte(text))
			var back string
			if err := json.Unmarshal(quoted, &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") {
				t.Fatalf("%q became %q: %v", text, quoted, err)
			}
			if got, err := readJSON(quoted); err != nil || got != back {
				t.Fatalf("%q: got %q, %v", quoted, got, err)
			}
		}
	}
}

// A text that no scanner vouched for must not make the unescaping panic.
func TestAppendJSONUnescapedIsSafe(t *testing.T) {
	for _, raw := range []string{`\`, `a\`, `\u`, `\u12`, `\u12g4x`, `\ud800`, `\ud800\`, `\ud800\u`, `\ud800\udc0`, `\q`} {
		jsontext.AppendUnescaped(nil, []byte(raw))
	}
}

func FuzzJSONScan(f *testing.F) {
	for _, text := range jsonAccepted {
		f.Add([]byte(text))
	}
	for _, text := range []string{`[1,]`, `01`, `"\x"`, "\ufeff1", "\"\xff\"", `{"a":1]`, nested(65)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readJSON(text)
		valid := utf8.Valid(text) && json.Valid(text) && jsonDepth(text) <= JSONDepthMax
		if (err == nil) != valid || JSONValid(text) != valid {
			t.Fatalf("%q: %v, valid is %v", text, err, valid)
		}
		if valid {
			if want := decodeJSON(t, text); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: got %#v, want %#v", text, got, want)
			}
		}
	})
}

// jsonDepth is how deep a valid text nests.
func jsonDepth(text []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}

func FuzzJSONText(f *testing.F) {
	for _, text := range []string{"", "plain", `a"b\c`, "\n\r\t\b\f\x00", "é漢\U0001F600", "\xff\xc3", "\xed\xa0\x80", "a\u2028<b>&"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		quoted := jsontext.AppendString([]byte("x"), text)[1:]
		oracle, err := json.Marshal(string(text))
		if err != nil {
			t.Fatal(err)
		}
		var got, want string
		if err := json.Unmarshal(quoted, &got); err != nil {
			t.Fatalf("%q became %q: %v", text, quoted, err)
		}
		if err := json.Unmarshal(oracle, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%q became %q", text, quoted)
		}
		if back := jsontext.AppendUnescaped(nil, quoted[1:len(quoted)-1]); string(back) != want {
			t.Fatalf("%q came back as %q", quoted, back)
		}
		jsontext.AppendUnescaped(nil, text)
	})
}

// Each byte at each place of a string, in and around the words of eight bytes.
func TestJSONStringAtEveryOffset(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			body := []byte(`"` + strings.Repeat("x", at) + string([]byte{byte(c)}) + strings.Repeat("y", 20-at) + `"`)
			if got, want := JSONValid(body), json.Valid(body) && utf8.Valid(body); got != want {
				t.Fatalf("%q: got %v, want %v", body, got, want)
			}
		}
	}
}

func BenchmarkJSONScan(b *testing.B) {
	for name, unit := range map[string]string{
		"prose":   "order 42 paid; ",
		"lines":   "fanfare sends every message\nto all who asked for it\nand waits for nobody\n",
		"json":    `{"order":4711,"state":"paid","lines":[{"sku":"a-1","n":2},{"sku":"b-2","n":1}]}`,
		"chinese": "订单已经支付，请尽快发货。",
	} {
		b.Run("size=1KiB/text="+name, func(b *testing.B) {
			body := []byte(`{"subject":"greeting","message":`)
			body = jsontext.AppendString(body, []byte(strings.Repeat(unit, 1024/len(unit))))
			body = append(body, `,"time_to_live":"3600"}`...)
			b.ReportAllocs()
			for b.Loop() {
				if !JSONValid(body) {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkAppendJSONEscaped(b *testing.B) {
	text := []byte(strings.Repeat("order 42 \"paid\"; ", 60))
	var dst []byte
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		dst = jsontext.AppendEscaped(dst[:0], text)
	}
}
