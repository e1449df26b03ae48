package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

type subscriptionsCommand struct {
	serverFlag
	Topic string `arg:"" optional:"" help:"Only those of this topic."`
	JSON  bool   `name:"json" help:"Print one line of JSON for each."`
}

// Help has examples.
func (*subscriptionsCommand) Help() string {
	return `Shows what every subscription is doing: live, lagging (it reads from the store what it could not take at once) or
paused (its endpoint is down, and is asked again at the next probe).

Examples:
  fanfare subscriptions
  fanfare subscriptions orders --json`
}

const listPage = 1000

// shownSubscription is what a row is made of.
type shownSubscription struct {
	Name, Topic, Kind string
	Pending           bool
	State             struct {
		State       string
		LagMessages uint64     `json:"lag_messages"`
		LagSeconds  float64    `json:"lag_seconds"`
		InFlight    int        `json:"in_flight"`
		LastFailure string     `json:"last_failure"`
		FailedAt    *time.Time `json:"failed_at"`
		NextProbe   *time.Time `json:"next_probe"`
	}
}

// Run lists the subscriptions of one topic, or of all.
func (c *subscriptionsCommand) Run(ctx context.Context) error {
	rows := [][]string{{"TOPIC", "SUBSCRIPTION", "KIND", "STATE", "LAG", "BEHIND", "IN FLIGHT", "NEXT PROBE", "LAST FAILURE"}}
	each := func(text json.RawMessage) error {
		if c.JSON {
			return printJSONLine(text)
		}
		var s shownSubscription
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		rows = append(rows, s.row(time.Now()))
		return nil
	}
	var err error
	if c.Topic != "" {
		err = c.walkTopic(ctx, c.Topic, each)
	} else {
		err = c.walk(ctx, "/v1/topics", "topics", func(text json.RawMessage) error {
			var t struct{ Name string }
			if err := json.Unmarshal(text, &t); err != nil {
				return err
			}
			return c.walkTopic(ctx, t.Name, each)
		})
	}
	if err != nil || c.JSON {
		return err
	}
	if len(rows) == 1 {
		fmt.Fprintln(os.Stderr, "No subscriptions.")
		return nil
	}
	return printTable(rows)
}

func (c *subscriptionsCommand) walkTopic(ctx context.Context, topic string, each func(json.RawMessage) error) error {
	return c.walk(ctx, "/v1/topics/"+url.PathEscape(topic)+"/subscriptions", "subscriptions", each)
}

// walk calls each with every entry of a list, page by page.
func (c *subscriptionsCommand) walk(ctx context.Context, path, key string, each func(json.RawMessage) error) error {
	q := url.Values{"limit": {strconv.Itoa(listPage)}}
	for {
		var page map[string]json.RawMessage
		if err := c.call(ctx, http.MethodGet, path, q, nil, &page); err != nil {
			return err
		}
		var list []json.RawMessage
		if err := json.Unmarshal(page[key], &list); err != nil {
			return fmt.Errorf("%s does not answer as a Fanfare server would: %w", c.Server, err)
		}
		for _, entry := range list {
			if err := each(entry); err != nil {
				return err
			}
		}
		var next string
		if len(page["next"]) == 0 {
			return nil
		}
		if err := json.Unmarshal(page["next"], &next); err != nil {
			return err
		}
		q.Set("after", next)
	}
}

func (s *shownSubscription) row(now time.Time) []string {
	state := s.State.State
	if s.Pending {
		state = "pending"
	}
	behind, probe, failure := "-", "-", "-"
	if s.State.LagMessages > 0 {
		behind = time.Duration(s.State.LagSeconds * float64(time.Second)).Truncate(time.Second).String()
	}
	if at := s.State.NextProbe; at != nil {
		probe = "in " + max(at.Sub(now), 0).Truncate(100*time.Millisecond).String()
	}
	if at := s.State.FailedAt; at != nil {
		failure = fmt.Sprintf("%s (%s ago)", printable(s.State.LastFailure, 60), max(now.Sub(*at), 0).Truncate(time.Second))
	}
	return []string{
		s.Topic, s.Name, s.Kind, state, strconv.FormatUint(s.State.LagMessages, 10), behind, strconv.Itoa(s.State.InFlight), probe, failure,
	}
}
