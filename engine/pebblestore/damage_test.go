package pebblestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The log is cut at every byte of its last 64 KiB, as a torn write would: what comes back are the groups that are
// whole, in their order, all of each or nothing, and every one that ended before the cut.
func TestLogCutAnywhere(t *testing.T) {
	mem := vfs.NewMem()
	s := open(t, pebblestore.Options{Dir: "store", FS: mem, FreeBytesMin: -1})
	r := rand.New(rand.NewPCG(3, 1))
	var ends []int // of the groups in the log
	var name string
	b := s.NewBatch()
	for n := 0; len(ends) == 0 || ends[len(ends)-1] < 80<<10; n++ {
		b.Reset()
		for i := range 3 {
			b.AppendMessage(1, engine.Sequence(3*n+i+1), bytes.Repeat([]byte{byte(n)}, r.IntN(700)))
		}
		b.SaveProgress(7, fmt.Append(nil, n+1))
		if err := errors.Join(b.Apply(true), b.Wait()); err != nil {
			t.Fatal(err)
		}
		for file, content := range takeImage(t, mem) {
			if strings.HasSuffix(file, ".log") {
				name = file
				ends = append(ends, len(content))
			}
		}
	}
	img := takeImage(t, mem)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	delete(img, "fanfare.fence") // it is not the torn write that it is to find
	log := img[name]
	step := 13
	if longForm() {
		step = 1
	}
	if testing.Short() {
		step = 201
	}
	cuts := 0
	for cut := len(log); cut > len(log)-(64<<10); cut -= step {
		cuts++
		want := sort.SearchInts(ends, cut+1)
		if err := groupsAre(img.fs(t, image{name: log[:cut]}), want); err != nil {
			t.Fatalf("cut behind %d of %d bytes: %v", cut, len(log), err)
		}
	}
	t.Logf("%d cuts of a log with %d groups", cuts, len(ends))
}

// groupsAre checks that a store holds the first groups, and nothing else.
func groupsAre(fs vfs.FS, want int) error {
	s, err := pebblestore.Open(small(fs))
	if err != nil {
		return err
	}
	defer s.Close()
	n := 0
	var fault error
	err = s.ReadTopic(1, 0, math.MaxUint64, func(seq engine.Sequence, record []byte) bool {
		n++
		if int(seq) != n || len(bytes.Trim(record, string(rune((n-1)/3)))) > 0 && (n-1)/3 < 128 {
			fault = fmt.Errorf("message %d is not what was written", seq)
		}
		return fault == nil
	})
	progress, progressErr := s.ReadProgress(7)
	if err := errors.Join(err, fault, progressErr); err != nil {
		return err
	}
	wantProgress := ""
	if want > 0 {
		wantProgress = fmt.Sprint(want)
	}
	if n != 3*want || string(progress) != wantProgress {
		return fmt.Errorf("%d messages and the progress %q are there, want %d and %q", n, progress, 3*want, wantProgress)
	}
	return nil
}

// One bit of one file is flipped. The store is refused, or reading reports it, or it did not matter; nothing is served
// wrong, and nothing that was acknowledged is missing in silence.
func TestBitFlips(t *testing.T) {
	flips := 340 // of each image
	if longForm() {
		flips = 30_000
	}
	if testing.Short() {
		flips = 40
	}
	counts := tally{}
	r := rand.New(rand.NewPCG(4, 1))
	for _, img := range makeImages(t) {
		if o, err := judge(t, img.image.fs(t, nil), img.acked); o != whole {
			t.Fatalf("%s, undamaged: %s, %v", img.name, o, err)
		}
		byKind := map[string][]string{}
		for _, name := range sortedNames(img.image) {
			if len(img.image[name]) > 0 {
				byKind[fileKind(name)] = append(byKind[fileKind(name)], name)
			}
		}
		kinds := sortedNames(byKind)
		for i := range flips {
			kind := kinds[i%len(kinds)]
			name := byKind[kind][r.IntN(len(byKind[kind]))]
			content := bytes.Clone(img.image[name])
			bit := r.IntN(8 * len(content))
			content[bit/8] ^= 1 << (bit % 8)
			o, err := judge(t, img.image.fs(t, image{name: content}), img.acked)
			if o == silent {
				t.Errorf("%s: bit %d of %s: %s: %v", img.name, bit, name, o, err)
			}
			counts.add(kind, o)
		}
	}
	t.Logf("%d flips: %v", counts.total(), counts)
	for _, kind := range []string{"log", "table", "manifest", "fence"} {
		if counts[kind][refused]+counts[kind][reported] == 0 {
			t.Errorf("no flip in a %s was found", kind)
		}
	}
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// harms are what happens to single files.
var harms = []struct {
	name string
	do   func(name string, content, older []byte) image
}{
	{"missing", func(name string, _, _ []byte) image { return image{name: nil} }},
	{"renamed", func(name string, content, _ []byte) image { return image{name: nil, name + ".bak": content} }},
	{"empty", func(name string, _, _ []byte) image { return image{name: {}} }},
	{"cut in half", func(name string, content, _ []byte) image { return image{name: content[:len(content)/2]} }},
	{"cut by a byte", func(name string, content, _ []byte) image { return image{name: content[:max(0, len(content)-1)]} }},
	{"cut by a quarter", func(name string, content, _ []byte) image { return image{name: content[:len(content)*3/4]} }},
	{"zeroed", func(name string, content, _ []byte) image { return image{name: make([]byte, len(content))} }},
	{"zeroed in its second half", func(name string, content, _ []byte) image {
		half := len(content) / 2
		return image{name: append(bytes.Clone(content[:half]), make([]byte, len(content)-half)...)}
	}},
	{"as it was before", func(name string, _, older []byte) image { return image{name: older} }},
	{"longer", func(name string, content, _ []byte) image {
		return image{name: append(bytes.Clone(content), make([]byte, 5000)...)}
	}},
}

// A file of the store is cut, zeroed, renamed, missing or replaced by an earlier version of itself. The store is
// refused, or reading reports it, or nothing is missing.
func TestHarmedFiles(t *testing.T) {
	counts := tally{}
	for _, img := range makeImages(t) {
		for _, name := range sortedNames(img.image) {
			for _, h := range harms {
				older, was := img.older[name]
				if h.name == "as it was before" && !was {
					continue
				}
				o, err := judge(t, img.image.fs(t, h.do(name, img.image[name], older)), img.acked)
				if o == silent {
					t.Errorf("%s: %s %s: %s: %v", img.name, name, h.name, o, err)
				}
				counts.add(fileKind(name), o)
			}
		}
		harmedGroups(t, img, counts)
	}
	t.Logf("%d cases: %v", counts.total(), counts)
	if counts.total() < 200 {
		t.Errorf("%d cases, want at least 200", counts.total())
	}
}

// harmedGroups takes away, or puts back, files together.
func harmedGroups(t *testing.T, img images, counts tally) {
	t.Helper()
	for what, belongs := range map[string]func(name string) bool{
		"logs":      func(name string) bool { return fileKind(name) == "log" },
		"tables":    func(name string) bool { return fileKind(name) == "table" },
		"manifests": func(name string) bool { return fileKind(name) == "manifest" },
		"markers":   func(name string) bool { return fileKind(name) == "marker" },
		"manifests and markers": func(name string) bool {
			return fileKind(name) == "manifest" || fileKind(name) == "marker"
		},
		"everything but tables": func(name string) bool { return fileKind(name) != "table" },
		"everything but logs":   func(name string) bool { return fileKind(name) != "log" },
	} {
		gone, back := image{}, image{}
		for name := range img.image {
			if belongs(name) {
				gone[name], back[name] = nil, nil
			}
		}
		for name, content := range img.older {
			if belongs(name) {
				back[name] = content
			}
		}
		if len(gone) == 0 {
			continue
		}
		for how, replaced := range map[string]image{"missing": gone, "as they were before": back} {
			o, err := judge(t, img.image.fs(t, replaced), img.acked)
			if o == silent && (how == "missing" || what != "everything but tables") { // that is a sound store of an earlier time
				t.Errorf("%s: %s %s: %s: %v", img.name, what, how, o, err)
			}
			counts.add("several", o)
		}
	}
}
