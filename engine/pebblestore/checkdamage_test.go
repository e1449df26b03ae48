package pebblestore_test

import (
	"bytes"
	"strings"
	"testing"

	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// damage is something that is written to a sound store, and what Check says of it.
type damage struct {
	name  string
	write func(db *pebble.DB) error
	said  string // in the key, the fault or the meaning; "" for a leftover
}

// checkDamages does each damage to a store of its own.
func checkDamages(t *testing.T, store func(*testing.T) vfs.FS, damages []damage) {
	t.Helper()
	for _, c := range damages {
		t.Run(c.name, func(t *testing.T) {
			fs := store(t)
			raw(t, fs, c.write)
			r, err := pebblestore.Check(pebblestore.Options{Dir: "store", FS: fs})
			if err != nil {
				t.Fatal(err)
			}
			if c.said == "" {
				if !r.Sound() || len(r.Leftovers) != 1 {
					t.Errorf("damages %v, leftovers %v, want one leftover", r.Damages, r.Leftovers)
				}
				return
			}
			for _, d := range r.Damages {
				if strings.Contains(d.Key+" "+d.Fault+" "+d.Meaning, c.said) && d.Meaning != "" {
					return
				}
			}
			t.Errorf("damages %+v, want one with %q", r.Damages, c.said)
		})
	}
}

func set(key, value []byte) func(*pebble.DB) error {
	return func(db *pebble.DB) error { return db.Set(key, value, pebble.Sync) }
}

func unset(key []byte) func(*pebble.DB) error {
	return func(db *pebble.DB) error { return db.Delete(key, pebble.Sync) }
}

// flip changes a bit of a value.
func flip(key []byte) func(*pebble.DB) error {
	return rewrite(key, key, func(value []byte) { value[len(value)/2] ^= 4 })
}

// duplicate gives a value to another key as well.
func duplicate(from, to []byte) func(*pebble.DB) error { return rewrite(from, to, func([]byte) {}) }

func rewrite(from, to []byte, change func(value []byte)) func(*pebble.DB) error {
	return func(db *pebble.DB) error {
		v, closer, err := db.Get(from)
		if err != nil {
			return err
		}
		value := bytes.Clone(v)
		change(value)
		if err := closer.Close(); err != nil {
			return err
		}
		return db.Set(to, value, pebble.Sync)
	}
}
