package egress_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// letterList is the dead letters of a subscription, in their order.
func (h *house) letterList(s *engine.Subscription) (all []engine.DeadLetter) {
	h.t.Helper()
	err := h.Engine.DeadLetters(s, engine.DeadLetterFilter{}, func(d engine.DeadLetter, _ *engine.Message) bool {
		all = append(all, d)
		return true
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// A replayed letter begins anew: its attempts and its age count from the replay, and its time to live is lifted. What
// ended once more is a dead letter again.
func TestReplayedLetterBeginsAnew(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	var mu sync.Mutex
	status := http.StatusGone
	var attempts []string
	set := func(to int) {
		mu.Lock()
		status, attempts = to, nil
		mu.Unlock()
	}
	r := newRecorder(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		mu.Lock()
		defer mu.Unlock()
		attempts = append(attempts, r.Header.Get("Attempt"))
		if status == http.StatusOK && len(attempts) < 2 { // the first try behind the replay fails
			w.WriteHeader(http.StatusBadGateway)
			return false
		}
		w.WriteHeader(status)
		return status == http.StatusOK
	})
	retry := engine.RetryPolicy{MinDelay: time.Millisecond, MaxDelay: time.Millisecond, MaxAttempts: 3, MaxAge: time.Minute}
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: retry})
	m := engine.NewMessage()
	m.SetPublishedAt(time.Now().Add(-time.Hour).UnixMilli())
	m.SetExpiresAt(time.Now().Add(time.Hour).UnixMilli())
	m.Set(engine.FieldBody, []byte("x"))
	if err := h.Engine.Publish(topic, m); err != nil {
		t.Fatal(err)
	}
	m.Release()
	replay := func() {
		t.Helper()
		if n, _, err := h.Engine.ReplayDeadLetters(s, engine.DeadLetterFilter{}, 0, 10); n != 1 || err != nil {
			t.Fatalf("replay: %d, %v", n, err)
		}
	}
	var first engine.DeadLetter
	eventually(t, "refused", func() bool {
		all := h.letterList(s)
		if len(all) == 1 {
			first = all[0]
		}
		return len(all) == 1
	})
	if first.Reason != engine.ReasonRefused || first.Status != 410 || first.Attempts != 1 || first.Sequence != 1 {
		t.Errorf("the letter: %+v", first)
	}
	set(http.StatusBadGateway)
	replay()
	eventually(t, "out of attempts", func() bool {
		all := h.letterList(s)
		return len(all) == 1 && all[0].Reason == engine.ReasonAttempts && all[0].Attempts == 3
	})
	set(http.StatusOK)
	replay()
	r.waitFor(t, 1)
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(attempts, " "); got != "1 2" {
		t.Errorf("the attempts behind the replay: %s", got)
	}
	if left := h.letterList(s); len(left) != 0 {
		t.Errorf("still listed: %+v", left)
	}
}

// An expired message that was refused before is delivered when it is replayed.
func TestReplayLiftsTheTimeToLive(t *testing.T) {
	store := newMemory()
	h := newHouse(t, store, egress.Options{})
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	h.subscribe(topic, engine.SubscriptionConfig{Name: "other", Endpoint: r.URL + "/other"})
	m := engine.NewMessage()
	defer m.Release()
	m.SetExpiresAt(time.Now().Add(-time.Minute).UnixMilli())
	m.Set(engine.FieldBody, []byte("late"))
	if err := h.Engine.Publish(topic, m); err != nil {
		t.Fatal(err)
	}
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	d := engine.DeadLetter{Reason: engine.ReasonRefused, At: 1, Attempts: 1, Status: 410}
	b := store.NewBatch()
	b.PutDeadLetter(s.ID, 1, engine.AppendDeadLetterHead(nil, &d), m.Record())
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	if n, _, err := h.Engine.ReplayDeadLetters(s, engine.DeadLetterFilter{}, 0, 10); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	r.waitFor(t, 1)
}

// storedBytes is the size of everything in a file system.
func storedBytes(t *testing.T, fs vfs.FS, dir string) (n int64) {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := fs.Stat(fs.PathJoin(dir, name)); err == nil && !info.IsDir() {
			n += info.Size()
		}
	}
	return n
}

// Without a retention disk use follows what is owed: it does not grow with what was delivered. The long form delivers
// four times as much on the same disk.
func TestDiskUseFollowsWhatIsOwed(t *testing.T) {
	const size, each = 256 << 10, 200 // 50 MiB a round
	rounds := 10
	if os.Getenv("FANFARE_LONG") == "1" {
		rounds = 40
	}
	// The write buffers with their logs, and what the store lets come together before it compacts; less than the
	// shortest form delivers.
	const bound = 450 << 20
	fs := vfs.NewMem()
	store, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	h := newHouse(t, store, egress.Options{})
	defer h.close()
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	body := strings.Repeat("x", size-8)
	var sizes []string
	for round := range rounds {
		for i := range each {
			h.publish(topic, fmt.Sprintf("%d %d ", round, i)+body)
		}
		eventually(t, "settled and trimmed", func() bool { return settled(s) && topic.Trimmed() == topic.High() })
		used := storedBytes(t, fs, "store")
		sizes = append(sizes, fmt.Sprintf("%d MiB", used>>20))
		if used > bound {
			t.Errorf("behind %d MiB that were delivered %d MiB are used", (round+1)*each*size>>20, used>>20)
		}
	}
	t.Logf("used behind each %d MiB: %v", each*size>>20, sizes)
}

// What a topic retains survives a restart, and is trimmed behind it as more comes.
func TestRetainedIsTrimmedBehindARestart(t *testing.T) {
	const size, limit = 10 << 10, 100 << 10
	store := newMemory()
	stored := func(topic *engine.Topic) (n int) {
		t.Helper()
		err := store.ReadTopic(topic.ID, 0, topic.High(), func(engine.Sequence, []byte) bool {
			n++
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	r := newRecorder(t, nil)
	h := newHouse(t, store, egress.Options{})
	topic, _, err := h.Engine.CreateTopicWith(engine.TopicConfig{Name: "orders", Retention: engine.Retention{Bytes: limit}})
	if err != nil {
		t.Fatal(err)
	}
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	publish := func(round int) {
		for i := range 30 {
			h.publish(topic, fmt.Sprintf("%d %d ", round, i)+strings.Repeat("x", size))
		}
		r.waitFor(t, 30*(round+1))
	}
	within := func() bool { n := stored(topic); return n >= limit/size-2 && n <= limit/size+2 }
	publish(0)
	eventually(t, "trimmed to the limit", within)
	h.close()
	if !within() {
		t.Errorf("behind the end %d messages are stored", stored(topic))
	}
	h = newHouse(t, store, egress.Options{})
	topic = h.Engine.Topic([]byte("orders"))
	if !within() {
		t.Errorf("behind the restart %d messages are stored", stored(topic))
	}
	publish(1)
	eventually(t, "trimmed to the limit again", within)
	if err := h.Engine.SetRetention(topic, engine.Retention{}); err != nil {
		t.Fatal(err)
	}
	publish(2)
	eventually(t, "everything is gone without a retention", func() bool { return stored(topic) == 0 })
}
