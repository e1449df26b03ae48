package bench

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"runtime/pprof"
	"slices"
	"testing"
)

func TestScrubPath(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := scrubPath(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	f("/home/someone/fanfare/engine/publish.go", "engine/publish.go")
	f("/usr/local/go/src/runtime/asm_amd64.s", "runtime/asm_amd64.s")
	f("/tmp/build/exe/fanfare", "fanfare")
	f("/tmp/build/exe/fanfare (deleted)", "fanfare")
	f("fanfare/engine/publish.go", "fanfare/engine/publish.go")
	f("github.com/valyala/fasthttp.(*Server).serveConn", "github.com/valyala/fasthttp.(*Server).serveConn")
	f("[vdso]", "[vdso]")
	f("", "")
}

func packed(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpacked(t testing.TB, compressed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// field is a field of a protocol buffer that has a length.
func field(number uint64, value string) []byte {
	b := binary.AppendUvarint(nil, number<<3|wireBytes)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}

// Only the strings of the table are changed, and everything else stays as it is.
func TestScrubStrings(t *testing.T) {
	time := binary.AppendUvarint(binary.AppendUvarint(nil, 9<<3), 1<<60)
	in := slices.Concat(field(1, "/not/a/string"), field(6, ""), field(6, "/a/b/c.go"), time, field(6, "cpu"))
	want := slices.Concat(field(1, "/not/a/string"), field(6, ""), field(6, "b/c.go"), time, field(6, "cpu"))
	got, err := scrubStrings(in)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func TestScrubRefusesDamage(t *testing.T) {
	for name, raw := range map[string][]byte{
		"longer than the rest": {6<<3 | wireBytes, 5, 'a'},
		"a length beyond all":  append([]byte{6<<3 | wireBytes}, binary.AppendUvarint(nil, 1<<63)...),
		"no value":             {6<<3 | wireBytes},
		"an endless number":    bytes.Repeat([]byte{0xff}, 20),
		"an unknown type":      {6<<3 | 5, 1, 2, 3, 4},
	} {
		if out, err := scrubProfile(packed(t, raw)); err == nil {
			t.Errorf("%s: %q", name, out)
		}
	}
	if _, err := scrubProfile([]byte("no gzip")); err == nil {
		t.Error("what is not compressed was accepted")
	}
}

// A profile of this very process names directories before, none after, and has the same shape.
func TestScrubARealProfile(t *testing.T) {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	clean, err := scrubProfile(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	before, after := unpacked(t, b.Bytes()), unpacked(t, clean)
	if len(after) >= len(before) {
		t.Errorf("%d bytes became %d", len(before), len(after))
	}
	if i := bytes.Index(after, []byte("/bench.test")); i >= 0 {
		t.Errorf("the program's directory is left: %q", after[max(0, i-40):i])
	}
	again, err := scrubStrings(after)
	if err != nil || !bytes.Equal(again, after) {
		t.Errorf("a clean profile was changed: %v", err)
	}
}

func FuzzScrub(f *testing.F) {
	f.Add(field(6, "/a/b/c.go"))
	f.Add([]byte{6<<3 | wireBytes, 0xff, 0xff, 0x03})
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := scrubStrings(raw)
		if err != nil {
			return
		}
		// A path may be made of paths; what is left of one has no more to lose but itself.
		for range 2 {
			if once, err = scrubStrings(once); err != nil {
				t.Fatalf("%q is damaged afterwards: %v", once, err)
			}
		}
	})
}
