package pebblestore

import "time"

// Report is what Check found.
type Report struct {
	Dir           string               `json:"dir"`
	Topics        []TopicReport        `json:"topics"`
	Queues        []QueueReport        `json:"queues"`
	Subscriptions []SubscriptionReport `json:"subscriptions"`
	Timers        []TimerReport        `json:"timers"`
	MessageCount  uint64               `json:"messages"`
	MessageBytes  uint64               `json:"message_bytes"`
	DiskBytes     int64                `json:"disk_bytes"`
	// Leftovers are entries that nothing refers to, in words. They do no harm: what they belonged to was deleted while they
	// were being written, and the server drops them when it meets them.
	Leftovers []string `json:"leftovers"`
	Damages   []Damage `json:"damages"`
	// DamagesHidden counts those beyond the first thousand.
	DamagesHidden uint64 `json:"damages_hidden"`
}

// Sound reports whether nothing is damaged.
func (r *Report) Sound() bool { return len(r.Damages) == 0 }

// TopicReport is a topic of a Report.
type TopicReport struct {
	ID       uint64 `json:"id"`
	Name     string `json:"name"`
	Messages uint64 `json:"messages"` // stored
	Bytes    uint64 `json:"bytes"`
	First    uint64 `json:"first"` // sequence of the first that is stored, 0 for none
	High     uint64 `json:"high"`  // highest sequence there ever was
	Marks    int    `json:"marks"`
	FIFO     bool   `json:"fifo"`
	Known    uint64 `json:"known"` // messages that another one may be a duplicate of
}

// QueueReport is a queue of a Report.
type QueueReport struct {
	ID        uint64 `json:"id"`
	Name      string `json:"name"`
	FIFO      bool   `json:"fifo"`
	Messages  uint64 `json:"messages"` // stored
	Bytes     uint64 `json:"bytes"`
	Received  uint64 `json:"received"`  // of them, were received and are not deleted
	Scheduled uint64 `json:"scheduled"` // messages that wait on the timer
	High      uint64 `json:"high"`      // highest sequence there ever was
	Known     uint64 `json:"known"`     // messages that another one may be a duplicate of
}

// SubscriptionReport is a subscription of a Report.
type SubscriptionReport struct {
	ID          uint64            `json:"id"`
	Topic       string            `json:"topic"`
	Name        string            `json:"name"`
	Kind        string            `json:"kind"`
	Floor       uint64            `json:"floor"`     // all up to here is settled
	Owed        uint64            `json:"owed"`      // stored messages that match and are not settled
	Scheduled   uint64            `json:"scheduled"` // deliveries that wait on the timer
	DeadLetters map[string]uint64 `json:"dead_letters"`
}

// TimerReport counts the entries of the durable timer of one kind.
type TimerReport struct {
	Kind  string    `json:"kind"` // publish, deliver, held or bury
	Count uint64    `json:"count"`
	Next  time.Time `json:"next"` // when the first is due
}

// Damage is something that is not as it was written.
type Damage struct {
	Key     string `json:"key"`     // where, as the key space of the store names it
	Fault   string `json:"fault"`   // what was found
	Meaning string `json:"meaning"` // what it means for messages
}

const (
	damagesMax   = 1000
	leftoversMax = 1000
)

func (r *Report) damage(key, fault, meaning string) {
	if len(r.Damages) >= damagesMax {
		r.DamagesHidden++
		return
	}
	r.Damages = append(r.Damages, Damage{key, fault, meaning})
}

func (r *Report) leftover(what string) {
	if len(r.Leftovers) < leftoversMax {
		r.Leftovers = append(r.Leftovers, what)
	}
}
