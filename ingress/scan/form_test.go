package scan

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormScanner(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		var got []string
		s := NewFormScanner([]byte(in))
		for s.Next() {
			got = append(got, string(s.Key)+"="+string(s.Value))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
	f("")
	f("&&&")
	f("a=1", "a=1")
	f("a=1&b=2", "a=1", "b=2")
	f("a", "a=")
	f("a=", "a=")
	f("=1", "=1")
	f("=", "=")
	f("a=1&&b=2&", "a=1", "b=2")
	f("a=b=c", "a=b=c")
	f("a=1;b=2", "a=1;b=2")
	f("a%3D=%26", "a%3D=%26")
}

func TestAppendFormValue(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := AppendFormValue([]byte("x"), []byte(in))
		if err != nil || string(got) != "x"+want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, "x"+want)
		}
	}
	f("", "")
	f("abc", "abc")
	f("a+b", "a b")
	f("a%20b", "a b")
	f("%2B", "+")
	f("+%2b+", " + ")
	f("h%C3%A9llo", "héllo")
	f("~%2A%27%28%29", "~*'()")
	f("%00%ff", "\x00\xff")
	f("a+", "a ")

	bad := func(in string) {
		t.Helper()
		if got, err := AppendFormValue(nil, []byte(in)); !errors.Is(err, ErrFormEscape) {
			t.Errorf("%q: got %q, %v, want a fault", in, got, err)
		}
	}
	bad("%")
	bad("%4")
	bad("a%")
	bad("%zz")
	bad("%4g")
	bad("%g4")
	bad("%+1")
	bad("%%41")
	bad("100% sure")
	bad("much text before %%%")
	bad("%41%41%41%%%%%%")
}

func TestAppendFormPath(t *testing.T) {
	got, err := AppendFormPath(nil, []byte("a+b%25%7Cc"))
	if err != nil || string(got) != "a+b%|c" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := AppendFormPath(nil, []byte("a%2")); !errors.Is(err, ErrFormEscape) {
		t.Errorf("got %v, want a fault", err)
	}
}

func TestFormPlain(t *testing.T) {
	for in, want := range map[string]bool{"": true, "abc": true, "a+b": false, "a%20": false} {
		if got := FormPlain([]byte(in)); got != want {
			t.Errorf("%q: got %v", in, got)
		}
	}
}

// One escape in much text is copied by the word, many in little byte by byte.
func TestFormAtEveryOffset(t *testing.T) {
	for _, piece := range []string{"%2B", "%2b%25", "+", "%", "%4", "%%41", "%zz", "%41%42%43%44", "\xff\xa5\xab"} {
		for _, around := range []int{3, 40} {
			for at := range around {
				in := strings.Repeat("+x", at)[:at] + piece + strings.Repeat("y+", around)[:around-at]
				want, wantErr := url.QueryUnescape(in)
				got, err := AppendFormValue(nil, []byte(in))
				if (err == nil) != (wantErr == nil) || err == nil && string(got) != want {
					t.Fatalf("%q: got %q, %v, want %q, %v", in, got, err, want, wantErr)
				}
			}
		}
	}
}

// FuzzForm compares with net/url, which defines the answer but for ';'.
func FuzzForm(f *testing.F) {
	f.Add("Action=Publish&Message=h%C3%A9llo+%26+%3Cx%3E%3D1%2B1+~%2A%27%28%29")
	f.Add("a&=&b=1=2&&c=%2")
	f.Add("Message=sixteen+bytes+and+more+than+that+have+but+one+escape%2C+at+the+most+%")
	f.Fuzz(func(t *testing.T, in string) {
		if strings.Contains(in, ";") {
			return
		}
		want := url.Values{}
		var wantErr error
		for pair := range strings.SplitSeq(in, "&") {
			if pair == "" {
				continue
			}
			key, value, _ := strings.Cut(pair, "=")
			k, err1 := url.QueryUnescape(key)
			v, err2 := url.QueryUnescape(value)
			if err := errors.Join(err1, err2); err != nil {
				wantErr = err
				continue
			}
			want.Add(k, v)
		}
		if parsed, err := url.ParseQuery(in); err == nil && wantErr == nil {
			if diff := cmp.Diff(parsed, want); diff != "" {
				t.Fatalf("the test's own parsing differs from net/url:\n%s", diff)
			}
		}
		got := url.Values{}
		var gotErr error
		s := NewFormScanner([]byte(in))
		for s.Next() {
			k, err1 := AppendFormValue(nil, s.Key)
			v, err2 := AppendFormValue(nil, s.Value)
			if err := errors.Join(err1, err2); err != nil {
				gotErr = err
				continue
			}
			if FormPlain(s.Value) && string(v) != string(s.Value) {
				t.Fatalf("%q is plain and decodes to %q", s.Value, v)
			}
			got.Add(string(k), string(v))
		}
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("fault %v, want %v", gotErr, wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-net/url +got):\n%s", in, diff)
		}
	})
}

// FuzzFormPath compares with net/url.
func FuzzFormPath(f *testing.F) {
	f.Add("orders%2Fnew")
	f.Add("a+name+that+is+long+enough+to+have+words%2Fnew")
	f.Fuzz(func(t *testing.T, in string) {
		want, wantErr := url.PathUnescape(in)
		got, err := AppendFormPath(nil, []byte(in))
		if (err == nil) != (wantErr == nil) || err == nil && string(got) != want {
			t.Fatalf("%q: got %q, %v, want %q, %v", in, got, err, want, wantErr)
		}
	})
}

func BenchmarkFormValue(b *testing.B) {
	for name, unit := range map[string]string{
		"plain":   "0123456789abcdef",
		"prose":   "fanfare sends every message to all who asked for it and waits for nobody ",
		"json":    `{"order":4711,"state":"paid","lines":[{"sku":"a-1","n":2},{"sku":"b-2","n":1}]}`,
		"chinese": "订单已经支付，请尽快发货。",
	} {
		b.Run("size=1KiB/text="+name, func(b *testing.B) {
			src := []byte(url.QueryEscape(strings.Repeat(unit, 1024/len(unit))))
			dst := make([]byte, 0, len(src))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := AppendFormValue(dst, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
