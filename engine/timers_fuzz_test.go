package engine

import (
	"bytes"
	"testing"
)

// oneTimer is a store that has one entry for the timer and nothing else.
type oneTimer struct {
	Store
	value []byte
}

func (s oneTimer) ReadTimer(_ TimerKey, dst []byte) ([]byte, bool, error) {
	return append(dst, s.value...), true, nil
}

// FuzzTimerEntry checks that an entry of the timer is either found damaged or read as what it was written from.
func FuzzTimerEntry(f *testing.F) {
	m := sample()
	for _, kind := range []TimerKind{TimerPublish, TimerDeliver, TimerHeld, TimerBury, 0, 255} {
		f.Add(append(appendTimerHead(nil, kind, 1<<63, Parked{Attempts: 7, Since: -1}), m.Record()...))
	}
	m.Release()
	f.Add([]byte{})
	f.Add(make([]byte, timerHeadSize))
	f.Fuzz(func(t *testing.T, value []byte) {
		timers := newTimers(&Engine{opts: Options{Store: oneTimer{value: value}}})
		kind, id, parked, m, ok := timers.read(TimerKey{Due: 1, ID: 1})
		if !ok {
			return
		}
		defer m.Release()
		if again := append(appendTimerHead(nil, kind, id, parked), m.Record()...); !bytes.Equal(again, value) {
			t.Errorf("%x came back as %x", value, again)
		}
		attributes(m)
	})
}

// FuzzFilterTag checks the filter by tag on a message as it comes back from the store: it wants exactly its tag, and
// without one everything.
func FuzzFilterTag(f *testing.F) {
	f.Add("", "red", false)
	f.Add("red", "red", true)
	f.Add("red", "Red", true)
	f.Add("red", "", true)
	f.Add("a||b", "a", true)
	f.Add("*", "x", true)
	f.Fuzz(func(t *testing.T, filter, tag string, tagged bool) {
		m := NewMessage()
		defer m.Release()
		m.Set(FieldBody, []byte(filter))
		if tagged {
			m.Set(FieldTag, []byte(tag))
		}
		m.seal()
		stored, err := DecodeMessage(m.Record())
		if err != nil {
			t.Fatal(err)
		}
		defer stored.Release()
		c := SubscriptionConfig{FilterTag: filter}
		if got, want := c.Matches(stored), filter == "" || tagged && tag == filter; got != want {
			t.Errorf("the filter %q and the tag %q, set %v: %v", filter, tag, tagged, got)
		}
		if c.Pending = true; c.Matches(stored) {
			t.Error("a pending subscription wants a message")
		}
	})
}
