package bench

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testTemplate is one made by a face, with defaults.
func testTemplate(t *testing.T, o PublishOptions, now time.Time) *template {
	t.Helper()
	o.Target = "http://h"
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	o.setDefaults()
	p, _ := newTemplate(&o, target{addr: "h", host: "h"}, now)
	return p
}

// Rotating changes the topic's number wherever the request names it, and nothing else.
func TestTemplateRotates(t *testing.T) {
	now := time.Unix(1, 0)
	for _, face := range Faces {
		o := PublishOptions{Face: face, Topic: "orders-new", SizeBytes: 100}
		o.Topic = "orders-new-000321"
		want := testTemplate(t, o, now).variant(0, 1).next(now)
		o.Topic, o.Topics = "orders-new", 1000
		v := testTemplate(t, o, now).variant(0, 1)
		found := false
		for range 1000 {
			got := v.next(now)
			if len(got) != len(want) {
				t.Fatalf("%s: %q", face, got)
			}
			if bytes.Contains(got, []byte("-000321")) {
				found = true
				if string(got) != string(want) {
					t.Errorf("%s:\n%q\nwant\n%q", face, got, want)
				}
			}
		}
		if !found {
			t.Errorf("%s: topic 321 is none of a thousand", face)
		}
	}
}

// All connections together publish to every topic before any gets a second message, or nearly so.
func TestTemplateRotatesEvenly(t *testing.T) {
	f := func(topics, conns int) {
		t.Helper()
		p := testTemplate(t, PublishOptions{Topic: "t", Topics: topics}, time.Unix(0, 77))
		seen := map[string]int{}
		for c := range conns {
			v := p.variant(c, conns)
			for range 2 * topics {
				request := v.next(time.Time{})
				_, rest, _ := bytes.Cut(request, []byte("/t-"))
				seen[string(rest[:topicDigits])]++
			}
		}
		counts := make([]int, 0, len(seen))
		for name, n := range seen {
			if name >= topicName(topics)[len("bench-"):] {
				t.Fatalf("%d topics, %d connections: topic %s", topics, conns, name)
			}
			counts = append(counts, n)
		}
		if len(seen) != topics || slices.Min(counts) != slices.Max(counts) {
			t.Errorf("%d topics, %d connections: %d topics, %d to %d messages", topics, conns, len(seen), slices.Min(counts), slices.Max(counts))
		}
	}
	f(2, 1)
	f(7, 3)
	f(10, 10)
	f(100, 64)
	f(64, 100)
	f(1000, 7)
}

func TestCoprime(t *testing.T) {
	for n := 2; n <= 2000; n++ {
		stride, at := coprime(n), 0
		met := make([]bool, n)
		for range n {
			met[at] = true
			at = (at + stride) % n
		}
		if slices.Contains(met, false) {
			t.Fatalf("%d steps of %d do not meet every number below %d", n, stride, n)
		}
	}
}

// The stamp of a body is the intended send time, in whatever form a face puts the body.
func TestTemplateStamps(t *testing.T) {
	intended := time.Unix(1_700_000_000, 123_456_789)
	for _, face := range Faces {
		p := testTemplate(t, PublishOptions{Face: face, Topic: "t", SizeBytes: 64, Stamp: true}, time.Unix(1, 0))
		v := p.variant(0, 2)
		other := p.variant(1, 2)
		got := string(v.next(intended))
		if !strings.Contains(got, "sent-1700000000123456789") {
			t.Errorf("%s: %q", face, got)
		}
		other.next(intended.Add(time.Hour))
		if diff := cmp.Diff(string(v.next(intended)), got); diff != "" {
			t.Errorf("%s: connections share their bytes: %s", face, diff)
		}
	}
}

func TestStampOf(t *testing.T) {
	f := func(body string, want int64, wantOK bool) {
		t.Helper()
		got, ok := stampOf([]byte(body))
		if ok != wantOK || ok && got.UnixNano() != want {
			t.Errorf("%q: %v, %t", body, got, ok)
		}
	}
	f("sent-0000000000000000042 and more", 42, true)
	f("sent-1700000000123456789 ", 1700000000123456789, true)
	f("sent-1700000000123456789", 0, false) // too short: no stamp
	f("sent-17000000001234567x9 ", 0, false)
	f("sent-9999999999999999999 ", 0, false) // beyond what a time holds
	f("Sent-1700000000123456789 ", 0, false)
	f("", 0, false)
}

func TestPublishOptionsOfManyTopics(t *testing.T) {
	f := func(o PublishOptions, want string) {
		t.Helper()
		o.Target, o.Topic = "http://h", "a"+o.Topic
		got := "nil"
		if err := o.Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%+v: %s, want %s", o, got, want)
		}
	}
	f(PublishOptions{Topics: 1_000_000, Topic: "-Z9"}, "nil")
	f(PublishOptions{Topics: 1, Topic: "/b"}, "nil")
	f(PublishOptions{Topics: 2, Topic: "/b"}, `topic: "a/b" cannot be the name of many: only letters, digits and '-' can`)
	f(PublishOptions{Topics: 1_000_001}, "topics: 1000001 is not between 1 and 1000000")
	f(PublishOptions{Topics: -1}, "topics: -1 is not between 1 and 1000000")
	f(PublishOptions{Stamp: true}, "nil")
	f(PublishOptions{Stamp: true, SizeBytes: 25}, "nil")
	f(PublishOptions{Stamp: true, SizeBytes: 24}, "size: 24 bytes are too few for a stamp, which is 25")
}

// Neither rotating nor stamping allocates.
func TestVariantAllocs(t *testing.T) {
	v := testTemplate(t, PublishOptions{Topic: "t", Topics: 1000, Stamp: true}, time.Unix(1, 0)).variant(0, 1)
	now := time.Now()
	if n := testing.AllocsPerRun(1000, func() { v.next(now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
