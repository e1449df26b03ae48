package scan

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func TestAppendBase64(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := AppendBase64([]byte("x"), []byte(in))
		if err != nil || string(got) != "x"+want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, "x"+want)
		}
	}
	f("", "")
	f("AgME", "\x02\x03\x04")
	f("AgMEBQ==", "\x02\x03\x04\x05")
	f("+/+/", "\xfb\xff\xbf")

	bad := func(in string) {
		t.Helper()
		if got, err := AppendBase64(nil, []byte(in)); !errors.Is(err, ErrBase64) {
			t.Errorf("%q: got %q, %v, want a fault", in, got, err)
		}
	}
	bad("AgM")
	bad("AgMEBQ=")
	bad("AgME\n")
	bad("Ag ME")
	bad("-_-_")
	bad("====")
	bad("AgMEBQ==AA==")
}

// FuzzBase64 compares with encoding/base64.
func FuzzBase64(f *testing.F) {
	f.Add("AgMEBQ==")
	f.Fuzz(func(t *testing.T, in string) {
		want, wantErr := base64.StdEncoding.DecodeString(in)
		fault := wantErr != nil || strings.ContainsAny(in, "\r\n")
		got, err := AppendBase64(nil, []byte(in))
		if (err != nil) != fault || !fault && string(got) != string(want) {
			t.Fatalf("%q: got %q, %v, want %q, fault %v", in, got, err, want, fault)
		}
	})
}
