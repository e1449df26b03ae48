package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

type replayCommand struct {
	lettersOf
	ToSequence *uint64       `help:"Begin with this sequence, or the first behind it that is still stored." placeholder:"N"`
	ToTime     string        `help:"Begin with what was published at this time." placeholder:"RFC3339"`
	Age        time.Duration `help:"Begin with what was published so long ago." placeholder:"1h"`
	Earliest   bool          `help:"Begin with the first message that is still stored."`
	Latest     bool          `help:"Skip everything that was published so far."`
	JSON       bool          `name:"json" help:"Print the result as one line of JSON."`
}

// Help has examples.
func (*replayCommand) Help() string {
	return `Sets a subscription back, or on, in its topic. Back means that it gets again what it had already, as far as the
topic still has it: how long that is, is the topic's retention. What is in flight may arrive once more.

Examples:
  fanfare replay orders billing --age 1h
  fanfare replay orders billing --to-time 2026-01-31T12:00:00Z
  fanfare replay orders billing --latest`
}

// Validate finds wrong flags.
func (c *replayCommand) Validate() error {
	if len(c.body()) != 1 {
		return errors.New("say where to: one of --to-sequence, --to-time, --age, --earliest and --latest")
	}
	if _, err := time.Parse(time.RFC3339, c.ToTime); c.ToTime != "" && err != nil {
		return errors.New("--to-time must be a time such as 2026-01-31T12:00:00Z")
	}
	if c.Age < 0 {
		return errors.New("--age must be positive")
	}
	return nil
}

// body is the request, with a key for every flag that is given.
func (c *replayCommand) body() map[string]any {
	body := map[string]any{}
	if c.ToSequence != nil {
		body["sequence"] = *c.ToSequence
	}
	if c.ToTime != "" {
		body["time"] = c.ToTime
	}
	if c.Age != 0 {
		body["age"] = c.Age.String()
	}
	switch {
	case c.Earliest && c.Latest:
		body["earliest"], body["latest"] = true, true // refused by Validate
	case c.Earliest:
		body["from"] = "earliest"
	case c.Latest:
		body["from"] = "latest"
	}
	return body
}

// Run sets the subscription back, or on.
func (c *replayCommand) Run(ctx context.Context) error {
	var to struct {
		Sequence uint64 `json:"sequence"`
	}
	if err := c.call(ctx, http.MethodPost, subscriptionAt(c.Topic, c.Subscription)+"/replay", nil, c.body(), &to); err != nil {
		return err
	}
	if c.JSON {
		return printJSONLine(to)
	}
	_, err := fmt.Fprintf(os.Stdout, "The next message that %s gets is %d.\n", c.Subscription, to.Sequence)
	return err
}
