//go:build unix

package egress_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// street is a house with good subscriptions and hostile ones.
type street struct {
	house   *house
	good    []*engine.Topic // with one subscription each
	bad     *engine.Topic   // with all the hostile ones
	hostile []*engine.Subscription
	plagued atomic.Int64 // connections the hostile endpoints have had

	start   time.Time
	arrived atomic.Int64
	mu      sync.Mutex
	late    []time.Duration // guarded by mu: from the intended publish to the arrival of each message
}

const stampSize = 8

// hostiles are the ways of a hostile endpoint.
var hostiles = []func(*street) func(net.Conn){
	func(*street) func(net.Conn) { return func(net.Conn) {} },                                                 // never reads
	func(*street) func(net.Conn) { return func(c net.Conn) { _, _ = io.Copy(io.Discard, c) } },                // never answers
	func(*street) func(net.Conn) { return func(c net.Conn) { dripSlowly(c) } },                                // a byte a second
	func(*street) func(net.Conn) { return func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() } }, // resets
}

// dripSlowly sends a byte a second for as long as the other end is there, whatever that sends.
func dripSlowly(c net.Conn) {
	for i := 0; ; i++ {
		if _, err := c.Write([]byte{ok200[i%len(ok200)]}); err != nil {
			return
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if err := swallow(c); !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// swallow reads what comes, with little memory.
func swallow(c net.Conn) error {
	buf := make([]byte, 512)
	for {
		if _, err := c.Read(buf); err != nil {
			return err
		}
	}
}

// newStreet starts a house with good subscriptions, and a number of every hostile sort. It returns when those that
// reset are paused, and the others keep all the connections busy that they may.
func newStreet(t *testing.T, good, each int) *street {
	s := &street{start: time.Now(), house: newHouse(t, newMemory(), egress.Options{})}
	for i := range good {
		topic := s.house.topic(fmt.Sprint("good-", i))
		s.house.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: kindtest.Listen(t, s.serve), MaxInFlight: 16})
		s.good = append(s.good, topic)
	}
	s.bad = s.house.topic("bad")
	retry := engine.RetryPolicy{Timeout: 15 * time.Second}
	for sort, way := range hostiles {
		for i := range each {
			act := way(s)
			url := kindtest.Listen(t, func(c net.Conn) { s.plagued.Add(1); act(c) })
			s.hostile = append(s.hostile, s.house.subscribe(s.bad, engine.SubscriptionConfig{
				Name: fmt.Sprint(sort, "-", i), Endpoint: url, MaxInFlight: hostileInFlight(each), Retry: retry,
			}))
		}
	}
	for range 32 {
		s.house.publish(s.bad, strings.Repeat("x", 1000))
	}
	eventually(t, "the hostile endpoints are at it", func() bool {
		for i, sub := range s.hostile {
			st := sub.Receiver().State()
			if i/each == len(hostiles)-1 && st.State != "paused" || i/each < len(hostiles)-1 && st.Connections < hostileInFlight(each) {
				return false
			}
		}
		return s.plagued.Load() >= int64(len(s.hostile))
	})
	return s
}

// hostileInFlight keeps the long form within the open files of one process.
func hostileInFlight(each int) int { return max(1, 100/max(each, 1)) }

// serve is a good endpoint. A request is small and comes with one read; its body begins with the time it was due.
func (s *street) serve(c net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		now := time.Since(s.start)
		if i := bytes.Index(buf[:n], []byte("\r\n\r\n")) + 4; i >= 4 && n >= i+stampSize {
			s.mu.Lock()
			s.late = append(s.late, now-time.Duration(binary.BigEndian.Uint64(buf[i:])))
			s.mu.Unlock()
		}
		if _, err := io.WriteString(c, empty200); err != nil {
			return
		}
		s.arrived.Add(1)
	}
}

// load publishes messages to the good topics in turn, and one in two hundred to the bad one too. With a rate the
// messages are due at even distances, else as fast as it goes. It returns how long it took until all arrived.
func (s *street) load(t *testing.T, messages, perSecond int) time.Duration {
	t.Helper()
	const publishers = 4
	begin := time.Now()
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			body := bytes.Repeat([]byte("x"), 1024)
			for i := p; i < messages; i += publishers {
				due := time.Since(s.start)
				if perSecond > 0 {
					due = begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond)).Sub(s.start)
					if wait := due - time.Since(s.start); wait > 0 {
						<-time.After(wait)
					}
				}
				binary.BigEndian.PutUint64(body, uint64(due))
				s.house.publish(s.good[i%len(s.good)], string(body))
				if i%200 == 0 {
					s.house.publish(s.bad, string(body))
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "all arrived", func() bool { return s.arrived.Load() >= int64(messages) })
	if got := s.arrived.Load(); got != int64(messages) {
		t.Errorf("%d of %d messages arrived", got, messages)
	}
	return time.Since(begin)
}

// p99 is the ninety-ninth percentile of the latencies.
func (s *street) p99() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.late)
	return s.late[len(s.late)*99/100]
}

// memory is what the process holds behind a collection.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// cpu is the processor time the process has had.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// figures of one measurement; more is worse.
type figures struct{ cpu, wall, p99 float64 }

// compare measures alone and beside the hostile ones in turn and returns the medians of the ratios.
func compare(t *testing.T, pairs, each int, measure func(t *testing.T, each int) figures) (median figures) {
	var all [3][]float64
	for range pairs {
		var alone, beside figures
		t.Run("alone", func(t *testing.T) { alone = measure(t, 0) })
		t.Run("beside", func(t *testing.T) { beside = measure(t, each) })
		if t.Failed() {
			t.FailNow()
		}
		for i, ratio := range []float64{beside.cpu / alone.cpu, beside.wall / alone.wall, beside.p99 / alone.p99} {
			all[i] = append(all[i], ratio)
		}
	}
	for i := range all {
		slices.Sort(all[i])
	}
	median = figures{all[0][pairs/2], all[1][pairs/2], all[2][pairs/2]}
	t.Logf("beside %d hostile endpoints: processor time x %.2f, time x %.2f, p99 x %.2f", each*len(hostiles), median.cpu, median.wall, median.p99)
	return median
}

const (
	memoryGrowthMax = 64 << 20
	hostileBytesMax = 48 << 10 // of one endpoint in the long form: both ends of its connection, the messages its lane holds and those parked in the memory store
	rounds          = 3        // of measurements: other work on the machine spoils one, and improves none
)

// A hundred hostile endpoints leave a good one nine tenths of its throughput at the least. On a machine that does
// other work too the time says little; but where the processors are all that limits throughput, it is as well measured
// by what a message takes of them. That nothing waits for a hostile endpoint still shows in the time: that would be a
// matter of seconds.
func TestHostileNeighboursCostNoThroughput(t *testing.T) {
	const messages, each, limit = 10000, 25, 1 / 0.9
	measure := func(t *testing.T, each int) figures {
		before := memory()
		s := newStreet(t, 1, each)
		begin := cpu()
		took := s.load(t, messages, 0)
		used := cpu() - begin
		if grown := memory() - before; grown > memoryGrowthMax {
			t.Errorf("memory grew by %d MiB", grown>>20)
		}
		for _, sub := range s.hostile {
			if st := sub.Receiver().State(); st.InFlight > 1024 || st.Connections > hostileInFlight(each) {
				t.Errorf("a hostile subscription holds too much: %+v", st)
			}
		}
		return figures{used.Seconds(), took.Seconds(), s.p99().Seconds()}
	}
	pairs := 5
	if testing.Short() {
		pairs = 1
	}
	var m figures
	for range rounds {
		if m = compare(t, pairs, each, measure); m.wall <= limit || m.cpu <= limit && m.wall <= 3 {
			return
		}
	}
	t.Errorf("beside hostile endpoints the good one takes %.2f times the processor and %.2f times the time", m.cpu, m.wall)
}

// The full form, by FANFARE_LONG=1 alone: a thousand of every hostile sort beside a thousand good ones, with an even
// load.
func TestHostileNeighboursCostNoLatency(t *testing.T) {
	if os.Getenv("FANFARE_LONG") != "1" {
		t.Skip("the long form is asked for by FANFARE_LONG=1")
	}
	const good, each, messages, perSecond = 1000, 1000, 20000, 1000
	measure := func(t *testing.T, each int) figures {
		before := memory()
		s := newStreet(t, good, each)
		begin := cpu()
		took := s.load(t, messages, perSecond)
		used, grown := cpu()-begin, memory()-before
		t.Logf("%d hostile: p99 %v, memory grew by %d MiB", len(s.hostile), s.p99(), grown>>20)
		if limit := int64(memoryGrowthMax + len(s.hostile)*hostileBytesMax); grown > limit {
			t.Errorf("memory grew by %d MiB, more than %d", grown>>20, limit>>20)
		}
		return figures{used.Seconds(), took.Seconds(), s.p99().Seconds()}
	}
	var m figures
	for range rounds {
		if m = compare(t, 3, each, measure); m.p99 <= 1.2 {
			return
		}
	}
	t.Errorf("beside hostile endpoints the p99 of the good ones is %.2f times what it is alone", m.p99)
}
