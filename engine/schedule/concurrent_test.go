package schedule_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine/schedule"
)

// lockedSource is a source that many goroutines use.
type lockedSource struct {
	mu   sync.Mutex
	keys map[schedule.Key]bool
}

func (s *lockedSource) set(k schedule.Key, there bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there {
		s.keys[k] = true
	} else {
		delete(s.keys, k)
	}
}

func (s *lockedSource) ReadTimers(first, last schedule.Key, fn func(schedule.Key) bool) error {
	s.mu.Lock()
	var found []schedule.Key
	for k := range s.keys {
		if !k.Less(first) && k.Less(last) {
			found = append(found, k)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(found, func(a, b schedule.Key) int {
		switch {
		case a.Less(b):
			return -1
		case b.Less(a):
			return 1
		}
		return 0
	})
	for _, k := range found {
		if !fn(k) {
			break
		}
	}
	return nil
}

// Many goroutines add entries, and put off and settle those that fire, on the real clock; for the race detector above all.
func TestConcurrentUse(t *testing.T) {
	const adders, each = 4, 500
	source := &lockedSource{keys: map[schedule.Key]bool{}}
	timer := schedule.New(source, func(err error) { t.Error(err) })
	ctx, cancel := context.WithCancel(t.Context())
	var settled atomic.Int64
	all := make(chan struct{})
	var mu sync.Mutex
	putOff := map[schedule.Key]bool{}
	var running sync.WaitGroup
	running.Go(func() {
		timer.Run(ctx, func(k schedule.Key) {
			running.Go(func() {
				mu.Lock()
				again := k.ID%3 == 0 && !putOff[k]
				putOff[k] = true
				mu.Unlock()
				if again {
					timer.Snooze(k, time.Now().UnixMilli())
					return
				}
				source.set(k, false)
				timer.Settled(k)
				if settled.Add(1) == adders*each {
					close(all)
				}
			})
		})
	})
	var adding sync.WaitGroup
	for a := range adders {
		adding.Go(func() {
			for i := range each {
				k := timer.NewKey(time.Now().UnixMilli() + int64((a+i)%50))
				source.set(k, true)
				timer.Added(k)
			}
		})
	}
	adding.Wait()
	select {
	case <-all:
	case <-time.After(60 * time.Second):
		t.Errorf("%d of %d were settled", settled.Load(), adders*each)
	}
	cancel()
	running.Wait()
	if n := timer.Near(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}
