package visibility_test

import (
	"testing"

	"fanfare/engine/visibility"
)

// script is a table with what is done to it, one line per step of a test.
type script struct {
	t     *testing.T
	table *visibility.Table
}

func newScript(t *testing.T) *script { return &script{t: t, table: visibility.New()} }

func (s *script) hide(sequence uint64, until int64, inFlight bool) {
	s.table.Hide(s.table.Get(sequence), until, inFlight)
}

func (s *script) advance(to int64) { s.table.Advance(to) }

// wantTaken takes all that there is, a group at a time as a receiver does, and hides it until a time.
func (s *script) wantTaken(until int64, want ...uint64) {
	s.t.Helper()
	var got []uint64
	for e := s.table.First(); e != nil; e = s.table.First() {
		for e != nil {
			following := s.table.Following(e)
			s.table.Hide(e, until, true)
			got = append(got, e.Sequence)
			e = following
		}
	}
	if len(got) != len(want) {
		s.t.Fatalf("taken %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			s.t.Fatalf("taken %v, want %v", got, want)
		}
	}
}

func (s *script) wantCounts(messages, hidden, inFlight int) {
	s.t.Helper()
	if m, h, f := s.table.Len(), s.table.Hidden(), s.table.InFlight(); m != messages || h != hidden || f != inFlight {
		s.t.Fatalf("%d messages, %d hidden, %d in flight; want %d, %d, %d", m, h, f, messages, hidden, inFlight)
	}
}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		what string
		do   func(s *script)
	}{
		{"an empty table has nothing", func(s *script) {
			s.wantTaken(10)
			s.wantCounts(0, 0, 0)
			if _, ok := s.table.Next(); ok {
				s.t.Fatal("something becomes visible")
			}
		}},
		{"messages come in the order of their sequences, whatever the order they were added in", func(s *script) {
			for _, seq := range []uint64{5, 2, 9, 1} {
				s.table.Add(seq)
			}
			s.wantTaken(10, 1, 2, 5, 9)
			s.wantCounts(4, 4, 4)
		}},
		{"a hidden message comes at its time and not before", func(s *script) {
			s.table.Add(1)
			s.hide(1, 10, true)
			s.advance(9)
			s.wantTaken(20)
			s.advance(10)
			s.wantTaken(20, 1)
		}},
		{"one that was given back comes first again", func(s *script) {
			s.table.Add(1)
			s.table.Add(2)
			s.hide(1, 100, true)
			s.table.Show(s.table.Get(1))
			s.wantTaken(20, 1, 2)
		}},
		{"the next one to become visible is known, and changes", func(s *script) {
			s.table.Add(1)
			s.table.Add(2)
			s.hide(1, 30, true)
			s.hide(2, 20, false)
			s.wantNext(20)
			s.hide(1, 10, true)
			s.wantNext(10)
			s.table.Remove(s.table.Get(1))
			s.wantNext(20)
			s.wantCounts(1, 1, 0)
		}},
		{"what is delayed is hidden and not in flight", func(s *script) {
			s.table.Add(1)
			s.hide(1, 30, false)
			s.wantCounts(1, 1, 0)
		}},
		{"messages of a group are taken together, groups by their first", func(s *script) {
			s.table.AddTo(7, 1)
			s.table.AddTo(8, 2)
			s.table.AddTo(7, 3)
			s.wantTaken(10, 1, 3, 2)
		}},
		{"a group waits while one of it is in flight", func(s *script) {
			s.table.AddTo(7, 1)
			s.table.AddTo(7, 2)
			s.hide(1, 10, true)
			s.wantTaken(20)
			s.table.Remove(s.table.Get(1))
			s.wantTaken(20, 2)
		}},
		{"a group waits until the last of it is back, and then begins at its first", func(s *script) {
			s.table.AddTo(7, 1)
			s.table.AddTo(7, 2)
			s.hide(1, 10, true)
			s.hide(2, 20, true)
			s.advance(10)
			s.wantTaken(30)
			s.advance(20)
			s.wantTaken(30, 1, 2)
		}},
		{"a delayed first holds its group, a delayed second ends what is taken together", func(s *script) {
			s.table.AddTo(7, 1)
			s.table.AddTo(7, 2)
			s.table.AddTo(8, 3)
			s.table.AddTo(8, 4)
			s.hide(1, 10, false)
			s.hide(4, 10, false)
			s.wantTaken(50, 3)
			s.advance(10)
			s.wantTaken(60, 1, 2)
		}},
		{"one that is removed from the middle leaves the order", func(s *script) {
			for seq := uint64(1); seq <= 4; seq++ {
				s.table.AddTo(7, seq)
			}
			s.table.Remove(s.table.Get(2))
			s.table.Remove(s.table.Get(4))
			s.wantTaken(10, 1, 3)
		}},
		{"a group that ended begins anew", func(s *script) {
			s.table.AddTo(7, 1)
			s.hide(1, 10, true)
			s.table.Remove(s.table.Get(1))
			s.table.AddTo(7, 2)
			s.wantTaken(10, 2)
		}},
		{"a removed entry is used again as a new one", func(s *script) {
			s.table.Add(1).Receives = 5
			s.table.Add(2)
			s.table.Remove(s.table.Get(1))
			if e := s.table.Add(3); e.Receives != 0 || e.InFlight() || e.Sequence != 3 {
				s.t.Fatalf("%+v", e)
			}
			s.wantTaken(10, 2, 3)
		}},
	} {
		t.Run(c.what, func(t *testing.T) { c.do(newScript(t)) })
	}
}

func (s *script) wantNext(at int64) {
	s.t.Helper()
	if got, ok := s.table.Next(); !ok || got != at {
		s.t.Fatalf("the next becomes visible at %d, want %d", got, at)
	}
}

func TestTableRefusesAMessageTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a message was added twice")
		}
	}()
	table := visibility.New()
	table.Add(1)
	table.AddTo(1, 1)
}
