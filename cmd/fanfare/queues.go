package main

import (
	"fmt"
	"time"

	"fanfare/engine"
)

// queueConfig is a declared queue.
type queueConfig struct {
	Name        string             `yaml:"name"`
	FIFO        *fifoConfig        `yaml:"fifo,omitempty"` // left out: a standard queue
	Visibility  duration           `yaml:"visibility"`     // how long a received message is hidden
	Delay       duration           `yaml:"delay"`          // before a message can be received
	Retention   duration           `yaml:"retention"`
	ReceiveWait duration           `yaml:"receive_wait"` // of receives that say nothing else
	MessageMax  byteCount          `yaml:"message_max"`  // of a body with its attributes
	DeadLetters queueRedriveConfig `yaml:"dead_letters,omitempty"`
}

// fifoConfig says how a FIFO topic or queue finds duplicates.
type fifoConfig struct {
	ByContent bool `yaml:"by_content"` // a message without a deduplication id has the hash of its body for one
	PerGroup  bool `yaml:"per_group"`  // ids are compared within a group
}

// queueRedriveConfig says where a message goes that was received too often.
type queueRedriveConfig struct {
	Queue    string `yaml:"queue"`
	Receives int    `yaml:"receives"`
}

// setDefaults fills in what the file may leave out, before it is read.
func (q *queueConfig) setDefaults() {
	d := engine.NewQueueConfig("")
	q.Visibility, q.Retention, q.MessageMax = duration(d.Visibility), duration(d.Retention), byteCount(d.MessageMax)
}

func (f *fifoConfig) engine() *engine.FIFO {
	if f == nil {
		return nil
	}
	return &engine.FIFO{ByContent: f.ByContent, PerGroup: f.PerGroup}
}

// engine translates to the engine's own form.
func (q *queueConfig) engine() engine.QueueConfig {
	return engine.QueueConfig{
		Name: q.Name, FIFO: q.FIFO.engine(), Visibility: time.Duration(q.Visibility), Delay: time.Duration(q.Delay),
		Retention: time.Duration(q.Retention), ReceiveWait: time.Duration(q.ReceiveWait), MessageMax: int(q.MessageMax),
		DeadLetters: engine.QueueRedrive{Queue: q.DeadLetters.Queue, Receives: q.DeadLetters.Receives},
	}
}

// validateQueues checks the declared queues with the rules of the engine, and that none has dead letters that another one
// could not take. One that is not declared may be made through an API.
func (c *config) validateQueues(fault func(key, format string, args ...any)) {
	known := map[string]*queueConfig{}
	for i := range c.Queues {
		q := &c.Queues[i]
		ec := q.engine()
		for _, f := range ec.Validate() {
			fault(fmt.Sprintf("queues[%d].%s", i, f.Field), "%s", f.Reason)
		}
		if known[q.Name] != nil {
			fault(fmt.Sprintf("queues[%d].name", i), "%q is declared twice", q.Name)
		}
		known[q.Name] = q
	}
	for i := range c.Queues {
		q := &c.Queues[i]
		at := fmt.Sprintf("queues[%d].dead_letters.queue", i)
		switch to := known[q.DeadLetters.Queue]; {
		case to == nil || q.DeadLetters.Queue == "":
		case q.DeadLetters.Queue == q.Name:
			fault(at, "is the queue itself")
		case (to.FIFO == nil) != (q.FIFO == nil):
			fault(at, "must be FIFO if the queue is, and must not if it is not")
		}
	}
}

// declareQueue makes a declared queue exist, with its settings.
func (k *core) declareQueue(want engine.QueueConfig) error {
	q, created, err := k.engine.CreateQueue(want)
	if err != nil {
		return err
	}
	if !created {
		if sameQueue(q.Config(), &want) {
			return nil // costs no write
		}
		err = k.engine.UpdateQueue(q, func(c *engine.QueueConfig) {
			c.FIFO, c.Visibility, c.Delay, c.Retention = want.FIFO, want.Visibility, want.Delay, want.Retention
			c.ReceiveWait, c.MessageMax, c.DeadLetters = want.ReceiveWait, want.MessageMax, want.DeadLetters
		})
	}
	if err == nil {
		k.log.Info().Str("queue", want.Name).Bool("created", created).Msg("declared queue applied")
	}
	return err
}

// sameQueue reports whether two settings are the same, as far as a file can say.
func sameQueue(a, b *engine.QueueConfig) bool {
	if (a.FIFO == nil) != (b.FIFO == nil) || a.FIFO != nil && *a.FIFO != *b.FIFO {
		return false
	}
	return a.Visibility == b.Visibility && a.Delay == b.Delay && a.Retention == b.Retention &&
		a.ReceiveWait == b.ReceiveWait && a.MessageMax == b.MessageMax && a.DeadLetters == b.DeadLetters
}
