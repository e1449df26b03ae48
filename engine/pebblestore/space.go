package pebblestore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fanfare/engine"
)

// Full returns why no message is accepted now, nil when they are. Everything else goes on, since it frees space.
func (s *Store) Full() error {
	if err := s.full.Load(); err != nil {
		return *err
	}
	return nil
}

// look compares free and used space with the bounds.
func (s *Store) look() {
	reason := s.freeFault()
	if reason == "" {
		reason = s.storedFault()
	}
	was := s.full.Load()
	switch {
	case reason == "" && was != nil:
		s.full.Store(nil)
		s.opts.Log.Info().Msg("there is room again: messages are accepted")
	case reason != "":
		if was == nil {
			s.opts.Log.Error().Str("reason", reason).Msg("the disk is full: no message is accepted until there is room; deliveries go on")
		}
		err := fmt.Errorf("pebblestore: %s", reason)
		s.full.Store(&err)
	}
}

const mib = 1 << 20

// freeFault says what is wrong with the free space, "" for nothing.
func (s *Store) freeFault() string {
	floor := s.opts.FreeBytesMin
	if floor < 0 {
		return ""
	}
	usage, err := s.opts.FS.GetDiskUsage(s.opts.Dir)
	if err != nil {
		// Not knowing is no reason to refuse: a sync that fails for want of space is still never answered.
		s.unknown.Do(func() {
			s.opts.Log.Warn().Err(err).Msg("the free space of the disk cannot be read: messages are accepted whatever it is")
		})
		return ""
	}
	resume := floor + max(floor/4, 64*mib)
	if usage.AvailBytes >= uint64(resume) || s.full.Load() == nil && usage.AvailBytes >= uint64(floor) {
		return ""
	}
	return fmt.Sprintf("%d MiB are free, messages are accepted from %d MiB on", usage.AvailBytes/mib, resume/mib)
}

// storedFault says what is wrong with the space the store takes, "" for nothing.
func (s *Store) storedFault() string {
	most := uint64(s.opts.StoredBytesMax)
	if most == 0 {
		return ""
	}
	stored, resume := s.db.Metrics().DiskSpaceUsage(), most-most/8
	if stored < resume || s.full.Load() == nil && stored < most {
		return ""
	}
	return fmt.Sprintf("%d MiB are stored, messages are accepted below %d MiB", stored/mib, resume/mib)
}

// What was trimmed is only marked as deleted, in a memtable, and the space comes back when that is merged with the tables that
// hold it. Under load the next flush sees to it, mostly before a trimmed message gets into a table at all. But when
// nothing is published any more, or nothing is accepted since the disk is full, there is no next flush: so a spell behind a trim
// the memtable is flushed, which lets Pebble drop the tables that hold nothing else, and what is left of the span is compacted.
const (
	reclaimEvery    = time.Second
	reclaimPause    = 10 * time.Second // between two rounds, unless the store is full
	reclaimSpans    = 1000             // looked at in one round
	reclaimBytesMin = 16 * mib         // in the tables of a span, for a compaction to be worth it
	trimsMax        = 1 << 16          // topics that are remembered
)

// span is a range of a topic's sequences, the end excluded.
type span struct{ first, end uint64 }

// trims remembers what was trimmed and may still take space.
type trims struct {
	mu    sync.Mutex
	spans map[engine.TopicID]span // guarded by mu
	last  time.Time               // the reclaimer's only: when the last round ended
}

// add remembers a trim. Past the bound topics are passed over: the next trim of theirs takes it up.
func (t *trims) add(topic engine.TopicID, first, end uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spans == nil {
		t.spans = map[engine.TopicID]span{}
	}
	known, ok := t.spans[topic]
	switch {
	case ok:
		t.spans[topic] = span{min(known.first, first), max(known.end, end)}
	case len(t.spans) < trimsMax:
		t.spans[topic] = span{first, end}
	}
}

// some returns a few of the spans.
func (t *trims) some(most int) map[engine.TopicID]span {
	t.mu.Lock()
	defer t.mu.Unlock()
	some := make(map[engine.TopicID]span, min(most, len(t.spans)))
	for topic, s := range t.spans {
		if len(some) >= most {
			break
		}
		some[topic] = s
	}
	return some
}

// drop forgets a span, unless it grew meanwhile: then what is new of it stays.
func (t *trims) drop(topic engine.TopicID, done span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.spans[topic]
	if known.end <= done.end {
		delete(t.spans, topic)
	} else {
		t.spans[topic] = span{done.end, known.end}
	}
}

// reclaim gives the space of what was trimmed back to the disk.
func (s *Store) reclaim() {
	full := s.Full() != nil
	if !full && time.Since(s.trims.last) < reclaimPause {
		return
	}
	spans := s.trims.some(reclaimSpans)
	if len(spans) == 0 || !full && s.db.Metrics().Table.Local.LiveSize < uint64(4*reclaimBytesMin) {
		return
	}
	defer func() { s.trims.last = time.Now() }()
	flushed, err := s.db.AsyncFlush()
	if err != nil {
		return
	}
	select {
	case <-flushed:
	case <-s.stop:
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	})
	for topic, sp := range spans {
		if ctx.Err() != nil || s.Err() != nil {
			break
		}
		s.reclaimSpan(ctx, topic, sp, full)
	}
	cancel()
	watching.Wait()
}

func (s *Store) reclaimSpan(ctx context.Context, topic engine.TopicID, sp span, full bool) {
	first := messageKey(topic, engine.Sequence(sp.first))
	end := messageKey(topic, engine.Sequence(sp.end))
	size, err := s.db.EstimateDiskUsage(first, end)
	if err != nil {
		return
	}
	if size >= reclaimBytesMin || full && size > 0 {
		if err := s.db.Compact(ctx, first, end, false); err != nil {
			return
		}
		s.opts.Log.Debug().Uint64("topic", uint64(topic)).Uint64("bytes", size).Msg("what was trimmed is given back to the disk")
		size = 0
	}
	if size == 0 {
		s.trims.drop(topic, sp)
	}
}

var _ engine.Bounded = (*Store)(nil)
