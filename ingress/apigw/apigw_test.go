package apigw

import (
	"strings"
	"testing"
)

func TestPath(t *testing.T) {
	f := func(path string, want ...string) {
		t.Helper()
		var p Path
		p.Parse([]byte(path))
		if p.Len() != len(want) {
			t.Fatalf("%q: %d segments, want %d", path, p.Len(), len(want))
		}
		for i := range want {
			if !p.Is(i, want[i]) {
				t.Errorf("%q: segment %d is %q, want %q", path, i, p.At(i), want[i])
			}
		}
		if p.At(len(want)) != nil {
			t.Errorf("%q: a segment too many", path)
		}
	}
	f("")
	f("/")
	f("/v2", "v2")
	f("/v2/", "v2")
	f("/v2/p/notifications", "v2", "p", "notifications")
	f("/v2//x", "v2", "", "x")
	f("//")
	f("/a%2Fb/c", "a%2Fb", "c")

	var p Path
	p.Parse([]byte(strings.Repeat("/x", 5000)))
	if p.Len() != 5000 || p.At(4000) != nil || string(p.At(9)) != "x" {
		t.Errorf("a long path has %d segments", p.Len())
	}
}

func TestPathMatches(t *testing.T) {
	f := func(path, pattern string, want bool) {
		t.Helper()
		var p Path
		p.Parse([]byte(path))
		if got := p.Matches(1, pattern); got != want {
			t.Errorf("%q against %q: %v", path, pattern, got)
		}
	}
	f("/v2/topics", "topics", true)
	f("/v2/topics/x", "topics", false)
	f("/v2", "topics", false)
	f("/v2/topics/x", "topics/*", true)
	f("/v2/topics/x/y", "topics/*/y", true)
	f("/v2/topics/x/z", "topics/*/y", false)
	f("/v2/topics/x", "topics/*/y", false)
	f("/v2/topics/x/y/z", "topics/**", true)
	f("/v2/topics", "topics/**", true)
	f("/v2/other/x", "topics/**", false)
}

func TestDecode(t *testing.T) {
	f := func(segment, want string, wantOK bool) {
		t.Helper()
		got, grown, ok := Decode([]byte("x"), []byte(segment))
		if ok != wantOK || string(got) != want {
			t.Errorf("%q: got %q, %v", segment, got, ok)
		}
		if grown[0] != 'x' {
			t.Errorf("%q: the memory before was changed: %q", segment, grown)
		}
	}
	f("urn:smn", "urn:smn", true)
	f("urn%3Asmn%3a", "urn:smn:", true)
	f("%25DLQ%25g%7Ca+b", "%DLQ%g|a+b", true)
	f("%", "", false)
	f("%3", "", false)
	f("%zz", "", false)
	f("a%3Ab%", "", false)
}

func TestValidProject(t *testing.T) {
	f := func(project string, want bool) {
		t.Helper()
		if got := ValidProject([]byte(project)); got != want {
			t.Errorf("%q: %v", project, got)
		}
	}
	f("0123456789abcdef0123456789abcdef", true)
	f("0123456789ABCDEF0123456789abcdef", true)
	f("0123456789abcdef0123456789abcdeg", false)
	f("0123456789abcdef0123456789abcde", false)
	f("0123456789abcdef0123456789abcdef0", false)
	f("0123456789abcde/0123456789abcdef", false)
	f("", false)
}
