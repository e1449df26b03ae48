package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func keysOf(list []engine.Document) string {
	var keys []string
	for _, d := range list {
		keys = append(keys, d.Key)
	}
	return strings.Join(keys, " ")
}

// TestDocuments checks that changes happen together, are seen at once, and are there when the store is opened again.
func TestDocuments(t *testing.T) {
	fs := vfs.NewMem()
	open := func() engine.Store {
		store, err := pebblestore.Open(pebblestore.Options{Dir: "db", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	store := open()
	e, stop := start(t, engine.Options{Store: store}, newRecorder())
	value := []byte("1")
	if err := e.ChangeDocuments(func(d *engine.DocumentChanges) error {
		d.Put("a.x/1", value)
		d.Put("a.x/2", []byte{})
		d.Put("a.y", []byte("y"))
		d.Put("b.x", []byte("b"))
		if got := d.Get("a.x/1"); string(got) != "1" {
			t.Errorf("within the change: %q", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	value[0] = '9'

	own := errors.New("no")
	if err := e.ChangeDocuments(func(d *engine.DocumentChanges) error {
		d.Delete("a.x/1")
		if d.Get("a.x/1") != nil {
			t.Error("deleted within the change, and still there")
		}
		return own
	}); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	if err := e.ChangeDocuments(func(d *engine.DocumentChanges) error {
		if got := keysOf(d.List("a.", "", 9)); got != "a.x/1 a.x/2 a.y" {
			t.Errorf("the list within a change: %s", got)
		}
		d.Delete("a.y")
		d.Delete("a.z")
		d.Put("a.x/3", []byte("3"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check := func(e *engine.Engine) {
		t.Helper()
		for _, c := range []struct {
			prefix, after string
			limit         int
			want          string
		}{
			{"a.x/", "", 9, "a.x/1 a.x/2 a.x/3"},
			{"a.x/", "a.x/1", 9, "a.x/2 a.x/3"},
			{"a.x/", "a.x/10", 9, "a.x/2 a.x/3"},
			{"a.x/", "", 2, "a.x/1 a.x/2"},
			{"a.x/", "a.x/3", 9, ""},
			{"a.x/", "zzz", 9, ""},
			{"", "", 9, "a.x/1 a.x/2 a.x/3 b.x"},
			{"c", "", 9, ""},
		} {
			if got := keysOf(e.Documents(c.prefix, c.after, c.limit)); got != c.want {
				t.Errorf("%q behind %q: got %s, want %s", c.prefix, c.after, got, c.want)
			}
		}
		if got := e.Document([]byte("a.x/1")); string(got) != "1" {
			t.Errorf("got %q", got)
		}
		if got := e.Document([]byte("a.x/2")); got == nil || len(got) != 0 {
			t.Errorf("an empty document: %#v", got)
		}
		if got := e.Document([]byte("a.y")); got != nil {
			t.Errorf("a deleted document: %q", got)
		}
	}
	check(e)
	topic(t, e, "beside")
	stop()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = open()
	defer func() { _ = store.Close() }()
	e, _ = start(t, engine.Options{Store: store}, newRecorder())
	check(e)
	if e.Topic([]byte("beside")) == nil {
		t.Error("the topic beside the documents is gone")
	}
	key := []byte("a.x/1")
	if n := testing.AllocsPerRun(100, func() { e.Document(key) }); n != 0 {
		t.Errorf("reading a document allocates %v times", n)
	}
}

func TestDocumentLimits(t *testing.T) {
	e, _ := start(t, engine.Options{Store: memstore.New(memstore.Options{}), DocumentsMax: 2}, newRecorder())
	change := func(fn func(d *engine.DocumentChanges)) error {
		return e.ChangeDocuments(func(d *engine.DocumentChanges) error { fn(d); return nil })
	}
	put := func(key string, size int) error {
		return change(func(d *engine.DocumentChanges) { d.Put(key, make([]byte, size)) })
	}
	for _, c := range []struct {
		key  string
		size int
		want error
	}{
		{"a.1", engine.DocumentBytesMax, nil},
		{"a.2", engine.DocumentBytesMax + 1, engine.ErrInvalid},
		{"none", 1, engine.ErrInvalid},
		{".x", 1, engine.ErrInvalid},
		{"a." + strings.Repeat("k", engine.DocumentKeyBytesMax), 1, engine.ErrInvalid},
		{"a.2", 1, nil},
		{"a.3", 1, engine.ErrDocumentLimit},
		{"a.2", 2, nil},
	} {
		if err := put(c.key, c.size); !errors.Is(err, c.want) {
			t.Errorf("%.20s of %d bytes: got %v, want %v", c.key, c.size, err, c.want)
		}
	}
	if err := change(func(d *engine.DocumentChanges) { d.Delete("a.1"); d.Put("a.3", nil) }); err != nil {
		t.Errorf("one for another: %v", err)
	}
	if got := fmt.Sprint(keysOf(e.Documents("", "", 9))); got != "a.2 a.3" {
		t.Errorf("got %s", got)
	}
}
