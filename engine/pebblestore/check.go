package pebblestore

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/engine"

	"github.com/cockroachdb/pebble/v2"
)

// Check reads everything a store holds, while no server has it open, and changes nothing. The error says that it could not be
// opened at all; what is damaged is in the report.
func Check(opts Options) (*Report, error) {
	s, err := OpenCopy(opts)
	if errors.Is(err, ErrDamaged) {
		r := &Report{Dir: opts.Dir}
		r.damage("files", err.Error(), "the store cannot be opened")
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	c := newCheck(s, opts.Dir)
	c.run()
	return c.report, s.Close()
}

// check is one run of Check.
type check struct {
	store  *Store
	report *Report

	topics        map[engine.TopicID]*topicCheck
	queues        map[engine.TopicID]*queueCheck
	subscriptions map[engine.SubscriptionID]*subscriptionCheck
	timers        map[string]*TimerReport
	strayStates   map[uint64]int // by a topic that does not exist
	lastID        uint64
}

type topicCheck struct {
	TopicReport
	trimmed       uint64
	subscriptions []*subscriptionCheck
}

type subscriptionCheck struct {
	SubscriptionReport
	config   engine.SubscriptionConfig
	topicID  engine.TopicID
	progress engine.Progress
	saved    bool
}

func newCheck(s *Store, dir string) *check {
	return &check{
		store: s, report: &Report{Dir: dir},
		topics:        map[engine.TopicID]*topicCheck{},
		queues:        map[engine.TopicID]*queueCheck{},
		subscriptions: map[engine.SubscriptionID]*subscriptionCheck{},
		timers:        map[string]*TimerReport{},
		strayStates:   map[uint64]int{},
	}
}

func (c *check) run() {
	for _, err := range c.store.lost {
		c.report.damage(fenceName, err.Error(), "messages, or what is known of their delivery, were lost with a file; the server refuses the store")
	}
	c.blocks()
	c.each(prefixCatalog, "topics, queues or subscriptions cannot be read: the server does not start", c.catalog)
	c.link()
	c.each(prefixHighWater, "sequences may be given twice", c.highWater)
	c.each(prefixProgress, "messages are delivered, or received, again", c.progress)
	c.each(prefixMark, "the retention of a topic is not kept exactly", c.mark)
	c.each(prefixState, "messages may be received again, or duplicates taken", c.state)
	c.each(prefixTimer, "retries and scheduled messages in this range are not delivered", c.timer)
	c.each(prefixDeadLetter, "dead letters in this range cannot be read", c.deadLetter)
	c.messages()
	c.finish()
}

// blocks reads every block of every table, those whose content is deleted included, and compares their checksums and their order.
func (c *check) blocks() {
	if err := c.store.db.CheckLevels(&pebble.CheckLevelsStats{}); err != nil {
		c.report.damage("tables", err.Error(), "a table does not hold what was written to it; which entries are gone is said below, if any are")
	}
}

// each calls fn with every entry of a prefix, and goes on behind a range that cannot be read.
func (c *check) each(prefix byte, meaning string, fn func(key, value []byte)) {
	c.walk([]byte{prefix}, []byte{prefix + 1}, meaning, fn)
}

func (c *check) walk(first, end []byte, meaning string, fn func(key, value []byte)) {
	for len(first) > 0 && string(first) < string(end) {
		last := first
		err := c.store.scan(first, end, func(key, value []byte) (bool, error) {
			last = append(last[:0:0], key...)
			fn(key, value)
			return true, nil
		})
		if err == nil {
			return
		}
		next := c.readableBehind(last, end)
		c.report.damage(fmt.Sprintf("%x to %x", last, next), err.Error(), meaning)
		first = next
	}
}

// readableBehind finds, in growing steps, where reading works again behind a key.
func (c *check) readableBehind(key, end []byte) []byte {
	if len(key) < keySizeMax {
		return end
	}
	number := lastNumber(key)
	for step := uint64(1); number <= math.MaxUint64-step; step *= 2 {
		next := binary.BigEndian.AppendUint64(slices.Clone(key[:len(key)-8]), number+step)
		if string(next) >= string(end) {
			return end
		}
		err := c.store.scan(next, end, func([]byte, []byte) (bool, error) { return false, nil })
		if err == nil {
			return next
		}
		if step >= 1<<62 {
			break
		}
	}
	return end
}

func (c *check) catalog(key, value []byte) {
	name := string(key[1:])
	kind, number, _ := strings.Cut(name, "/")
	id, err := strconv.ParseUint(number, 10, 64)
	const meaning = "the server does not start"
	switch {
	case name == "id":
		if err := json.Unmarshal(value, &c.lastID); err != nil {
			c.report.damage("c "+name, err.Error(), meaning)
		}
	case kind == "d" && number != "": // a document: what is in it is its face's affair
	case err == nil && kind == "q":
		c.catalogQueue(name, id, value)
	case err != nil || kind != "t" && kind != "s":
		c.report.damage("c "+name, "an unknown entry of the catalog", meaning)
	case kind == "t":
		var config engine.TopicConfig
		if err := json.Unmarshal(value, &config); err != nil {
			c.report.damage("c "+name, err.Error(), meaning)
			return
		}
		if err := engine.CheckTopicName(config.Name); err != nil {
			c.report.damage("c "+name, err.Error(), "the topic cannot be published to")
		}
		c.topics[engine.TopicID(id)] = &topicCheck{TopicReport: TopicReport{ID: id, Name: config.Name, FIFO: config.FIFO != nil}}
	default:
		c.catalogSubscription(name, id, value)
	}
}

func (c *check) catalogSubscription(name string, id uint64, value []byte) {
	var stored struct {
		Topic  engine.TopicID            `json:"topic"`
		Config engine.SubscriptionConfig `json:"config"`
	}
	if err := json.Unmarshal(value, &stored); err != nil {
		c.report.damage("c "+name, err.Error(), "the server does not start")
		return
	}
	for _, fault := range stored.Config.Validate() {
		c.report.damage("c "+name, fault.Error(), "the subscription's settings are not ones that could be made")
	}
	c.subscriptions[engine.SubscriptionID(id)] = &subscriptionCheck{
		SubscriptionReport: SubscriptionReport{ID: id, Name: stored.Config.Name, Kind: stored.Config.Kind, DeadLetters: map[string]uint64{}},
		config:             stored.Config, topicID: stored.Topic,
	}
}

// link connects the subscriptions with their topics.
func (c *check) link() {
	names := map[string]uint64{}
	for _, t := range sortedByID(c.topics) {
		if other, twice := names[t.Name]; twice {
			c.report.damage(fmt.Sprintf("c t/%d", t.ID), fmt.Sprintf("topic %d has the same name", other), "one of the two is never reached")
		}
		names[t.Name] = t.ID
		c.numbered("t", t.ID)
	}
	c.linkQueues()
	for _, s := range sortedByID(c.subscriptions) {
		c.numbered("s", s.ID)
		t := c.topics[s.topicID]
		if t == nil {
			c.report.damage(fmt.Sprintf("c s/%d", s.ID), fmt.Sprintf("it is a subscription of topic %d, which does not exist", s.topicID), "the server does not start")
			continue
		}
		s.Topic = t.Name
		t.subscriptions = append(t.subscriptions, s)
	}
}

func (c *check) numbered(kind string, id uint64) {
	if id > c.lastID {
		c.report.damage("c id", fmt.Sprintf("the last id given is %d, but %s/%d exists", c.lastID, kind, id), "the next topic, queue or subscription may take over another's messages")
	}
}

func sortedByID[K cmp.Ordered, V any](m map[K]V) []V {
	all := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[k])
	}
	return all
}

func (c *check) highWater(key, value []byte) {
	if len(key) != 9 || len(value) != 8 {
		c.report.damage(fmt.Sprintf("h %x", key[1:]), fmt.Sprintf("%d bytes, want 8", len(value)), "sequences may be given twice")
		return
	}
	id := engine.TopicID(lastNumber(key))
	if q := c.queues[id]; q != nil {
		q.High = max(q.High, binary.BigEndian.Uint64(value))
		return
	}
	t := c.topics[id]
	if t == nil {
		c.report.leftover(fmt.Sprintf("the high-water mark of topic %d, which does not exist", lastNumber(key)))
		return
	}
	t.trimmed = binary.BigEndian.Uint64(value)
	t.High = t.trimmed
}

func (c *check) progress(key, value []byte) {
	if len(key) != 9 {
		c.report.damage(fmt.Sprintf("p %x", key[1:]), "not a key of progress", "it is not used")
		return
	}
	id := lastNumber(key)
	if q := c.queues[engine.TopicID(id)]; q != nil {
		c.queueProgress(q, value)
		return
	}
	progress, ok := engine.ParseProgress(value)
	if !ok && c.subscriptions[engine.SubscriptionID(id)] == nil {
		_, ok = engine.ParseQueueProgress(value) // of a queue that was deleted
	}
	if !ok {
		c.report.damage(fmt.Sprintf("p %d", id), fmt.Sprintf("%x is no progress", value), "everything that is stored is delivered again to this subscription")
	}
	s := c.subscriptions[engine.SubscriptionID(id)]
	if s == nil {
		c.report.leftover(fmt.Sprintf("the progress of subscription or queue %d, which does not exist", id))
		return
	}
	s.saved, s.progress, s.Floor = true, progress, uint64(progress.Floor)
}

func (c *check) mark(key, value []byte) {
	if len(key) != keySizeMax || len(value) != 16 {
		c.report.damage(fmt.Sprintf("i %x", key[1:]), fmt.Sprintf("%d bytes, want 16", len(value)), "the server does not start")
		return
	}
	id := binary.BigEndian.Uint64(key[1:])
	if t := c.topics[engine.TopicID(id)]; t != nil {
		t.Marks++
		return
	}
	c.report.leftover(fmt.Sprintf("a mark of topic %d, which does not exist", id))
}

func (c *check) finish() {
	for _, t := range sortedByID(c.topics) {
		c.report.Topics = append(c.report.Topics, t.TopicReport)
		c.report.MessageCount += t.Messages
		c.report.MessageBytes += t.Bytes
	}
	c.finishQueues()
	for _, s := range sortedByID(c.subscriptions) {
		if !s.saved {
			c.report.damage(fmt.Sprintf("p %d", s.ID), "the subscription has no progress", "everything that is stored is delivered again to it")
		}
		if t := c.topics[s.topicID]; t != nil && s.Floor > t.High {
			c.report.damage(fmt.Sprintf("p %d", s.ID), fmt.Sprintf("all up to %d is settled, but the topic has only had %d messages", s.Floor, t.High),
				"as many new messages as lie between are not delivered to this subscription")
		}
		c.report.Subscriptions = append(c.report.Subscriptions, s.SubscriptionReport)
	}
	for _, t := range sortedByID(c.timers) {
		c.report.Timers = append(c.report.Timers, *t)
	}
	c.report.DiskBytes = c.store.dirBytes()
}

// dirBytes is the size of the files of the directory.
func (s *Store) dirBytes() (size int64) {
	names, err := s.opts.FS.List(s.opts.Dir)
	if err != nil {
		return 0
	}
	for _, name := range names {
		if info, err := s.opts.FS.Stat(s.opts.FS.PathJoin(s.opts.Dir, name)); err == nil {
			size += info.Size()
		}
	}
	return size
}

// millis is a time of ours.
func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
