package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
)

type deadLettersCommand struct {
	List   lettersList   `cmd:"" help:"List dead letters, without their bodies."`
	Show   lettersShow   `cmd:"" help:"Show one dead letter, or with --raw the bytes of its body alone."`
	Replay lettersReplay `cmd:"" help:"Deliver dead letters again; run it again to go on after an interruption."`
	Purge  lettersPurge  `cmd:"" help:"Drop dead letters for good."`
}

// letterCalls is how many dead letters one call replays or drops: few enough for the progress to be seen.
const letterCalls = 1000

// lettersOf names a subscription on a server.
type lettersOf struct {
	serverFlag
	Topic        string `arg:"" help:"Name of the topic."`
	Subscription string `arg:"" help:"Name of the subscription."`
}

func (o *lettersOf) path() string { return subscriptionAt(o.Topic, o.Subscription) + "/deadletters" }

// letterFilter chooses dead letters.
type letterFilter struct {
	Reason string `help:"Only those that ended for this reason." enum:",refused,max_attempts,max_age,expired" default:"" placeholder:"refused|max_attempts|max_age"`
	Status int    `help:"Only those whose last answer had this HTTP status." placeholder:"N"`
	Since  string `help:"Only those that ended at this time or later." placeholder:"RFC3339"`
	Until  string `help:"Only those that ended before this time." placeholder:"RFC3339"`
	After  uint64 `help:"Only those behind this sequence." placeholder:"N"`
}

func (f *letterFilter) given() bool { return *f != letterFilter{} }

// check finds what is wrong before the server is asked.
func (f *letterFilter) check() error {
	for name, text := range map[string]string{"since": f.Since, "until": f.Until} {
		if _, err := time.Parse(time.RFC3339, text); text != "" && err != nil {
			return fmt.Errorf("--%s must be a time such as 2026-01-31T12:00:00Z", name)
		}
	}
	if f.Status < 0 || f.Status > 999 {
		return errors.New("--status must be an HTTP status")
	}
	return nil
}

func (f *letterFilter) query(after uint64, limit int) url.Values {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" && value != "0" {
			q.Set(key, value)
		}
	}
	set("reason", f.Reason)
	set("status", strconv.Itoa(f.Status))
	set("since", f.Since)
	set("until", f.Until)
	set("after", strconv.FormatUint(after, 10))
	set("limit", strconv.Itoa(limit))
	return q
}

// letter is a dead letter as the server tells it.
type letter struct {
	Sequence    uint64 `json:"sequence"`
	Reason      string `json:"reason"`
	Status      int    `json:"status"`
	Attempts    int    `json:"attempts"`
	Failure     string `json:"failure"`
	EndedAt     string `json:"ended_at"`
	PublishedAt string `json:"published_at"`
	BodyBytes   int    `json:"body_bytes"`
	Damaged     bool   `json:"damaged"`
}

type lettersList struct {
	lettersOf
	letterFilter
	Limit int  `help:"How many at the most; 0 is all." default:"100" placeholder:"N"`
	JSON  bool `name:"json" help:"Print one line of JSON for each."`
}

// Help has examples.
func (*lettersList) Help() string {
	return `Examples:
  fanfare deadletters list orders billing
  fanfare deadletters list orders billing --reason refused --since 2026-01-31T12:00:00Z --limit 0`
}

// Validate finds wrong flags.
func (c *lettersList) Validate() error {
	if c.Limit < 0 {
		return errors.New("--limit must not be negative")
	}
	return c.check()
}

// Run lists page by page.
func (c *lettersList) Run(ctx context.Context) error {
	rows := [][]string{{"SEQUENCE", "ENDED", "REASON", "STATUS", "ATTEMPTS", "BYTES", "FAILURE"}}
	more := false
	for after, left := c.After, c.Limit; ; {
		page := letterCalls
		if c.Limit > 0 {
			page = min(left, letterCalls)
		}
		var list struct {
			DeadLetters []json.RawMessage `json:"dead_letters"`
			Next        uint64
		}
		if err := c.call(ctx, http.MethodGet, c.path(), c.query(after, page), nil, &list); err != nil {
			return err
		}
		for _, text := range list.DeadLetters {
			if c.JSON {
				if err := printJSONLine(text); err != nil {
					return err
				}
				continue
			}
			var l letter
			if err := json.Unmarshal(text, &l); err != nil {
				return err
			}
			rows = append(rows, l.row())
		}
		after, left = list.Next, left-len(list.DeadLetters)
		if more = list.Next != 0; !more || c.Limit > 0 && left <= 0 {
			break
		}
	}
	if c.JSON {
		return nil
	}
	if len(rows) == 1 {
		fmt.Fprintln(os.Stderr, "No dead letters.")
		return nil
	}
	if err := printTable(rows); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(os.Stderr, "There are more; --limit 0 lists all, --after %s goes on.\n", rows[len(rows)-1][0])
	}
	return nil
}

func (l *letter) row() []string {
	if l.Damaged {
		return []string{strconv.FormatUint(l.Sequence, 10), "-", "-", "-", "-", "-", "damaged: it cannot be read"}
	}
	status := "-"
	if l.Status != 0 {
		status = strconv.Itoa(l.Status)
	}
	return []string{
		strconv.FormatUint(l.Sequence, 10), l.EndedAt, l.Reason, status, strconv.Itoa(l.Attempts), strconv.Itoa(l.BodyBytes), printable(l.Failure, 60),
	}
}

type lettersShow struct {
	lettersOf
	Sequence uint64 `arg:"" help:"Sequence of the dead letter."`
	Raw      bool   `help:"Only the bytes of the body."`
	JSON     bool   `name:"json" help:"Print the server's JSON in one line."`
}

// Help has examples.
func (*lettersShow) Help() string {
	return `Examples:
  fanfare deadletters show orders billing 17
  fanfare deadletters show orders billing 17 --raw > body`
}

// Run shows one.
func (c *lettersShow) Run(ctx context.Context) error {
	path := c.path() + "/" + strconv.FormatUint(c.Sequence, 10)
	if c.Raw {
		body, err := c.fetch(ctx, http.MethodGet, path, url.Values{"raw": {"true"}}, nil)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(body)
		return err
	}
	text, err := c.fetch(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err := os.Stdout.Write(text)
		return err
	}
	var l shownLetter
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	return printTable(l.rows())
}

// consumeFlags choose what replay and purge work on.
type consumeFlags struct {
	Sequence []uint64 `help:"Only this one; may be given again." placeholder:"N"`
	All      bool     `help:"All of them."`
	Limit    int      `help:"How many at the most; 0 is all that are chosen." default:"0" placeholder:"N"`
	JSON     bool     `name:"json" help:"Print the result as one line of JSON."`
}

func (c *consumeFlags) check(f *letterFilter) error {
	chosen := 0
	for _, given := range []bool{c.All, f.given(), len(c.Sequence) > 0} {
		if given {
			chosen++
		}
	}
	switch {
	case chosen == 0:
		return errors.New("say which dead letters: --sequence, --reason, --status, --since, --until, --after, or --all")
	case chosen > 1:
		return errors.New("--all, --sequence and the filters exclude each other")
	case c.Limit < 0:
		return errors.New("--limit must not be negative")
	case len(c.Sequence) > 0 && c.Limit > 0:
		return errors.New("--limit cannot be combined with --sequence")
	}
	return f.check()
}

// walk calls one until nothing is left or the limit is reached; one says how many it worked on, and where to go on.
func (c *consumeFlags) walk(after uint64, what string, one func(after uint64, limit int) (int, uint64, error)) (int, error) {
	done := 0
	for {
		page := letterCalls
		if c.Limit > 0 {
			page = min(c.Limit-done, letterCalls)
		}
		n, next, err := one(after, page)
		done += n
		progress("%d %s", done, what)
		if err != nil || next == 0 || c.Limit > 0 && done >= c.Limit {
			progress("")
			return done, err
		}
		after = next
	}
}

type lettersReplay struct {
	lettersOf
	letterFilter
	consumeFlags
	Rate float64 `help:"How many become due per second; 0 is all at once." default:"0" placeholder:"N"`
}

// Help has examples.
func (*lettersReplay) Help() string {
	return `Every dead letter leaves the list and becomes a delivery again in one step, with its attempts and its age begun
anew. After an interruption the same command goes on with what is left.

Examples:
  fanfare deadletters replay orders billing --all --rate 50
  fanfare deadletters replay orders billing --reason max_age --since 2026-01-31T12:00:00Z
  fanfare deadletters replay orders billing --sequence 17 --sequence 21`
}

// Validate finds wrong flags.
func (c *lettersReplay) Validate() error {
	if c.Rate < 0 {
		return errors.New("--rate must not be negative")
	}
	return c.consumeFlags.check(&c.letterFilter)
}

// Run replays call by call.
func (c *lettersReplay) Run(ctx context.Context) error {
	replayed, err := 0, error(nil)
	if len(c.Sequence) > 0 {
		replayed, err = c.replaySequences(ctx)
	} else {
		replayed, err = c.walk(c.After, "replayed", func(after uint64, limit int) (int, uint64, error) {
			return c.replay(ctx, c.body(after, limit))
		})
	}
	if err != nil {
		return fmt.Errorf("%w (%d were replayed; the same command goes on with the rest)", err, replayed)
	}
	if c.JSON {
		return printJSONLine(map[string]int{"replayed": replayed})
	}
	_, err = fmt.Fprintf(os.Stdout, "%d dead letters are deliveries again.\n", replayed)
	return err
}

func (c *lettersReplay) replaySequences(ctx context.Context) (replayed int, err error) {
	for rest := c.Sequence; len(rest) > 0 && err == nil; {
		n := min(len(rest), letterCalls)
		body := map[string]any{"sequences": rest[:n]}
		if c.Rate > 0 {
			body["rate"] = c.Rate
		}
		var done int
		done, _, err = c.replay(ctx, body)
		replayed, rest = replayed+done, rest[n:]
	}
	return replayed, err
}

func (c *lettersReplay) body(after uint64, limit int) map[string]any {
	body := map[string]any{"limit": limit}
	for key, value := range map[string]any{
		"after": after, "reason": c.Reason, "status": c.Status, "since": c.Since, "until": c.Until, "rate": c.Rate,
	} {
		if value != any(uint64(0)) && value != "" && value != 0 && value != 0.0 {
			body[key] = value
		}
	}
	return body
}

func (c *lettersReplay) replay(ctx context.Context, body any) (replayed int, next uint64, err error) {
	var done struct {
		Replayed int
		Next     uint64
	}
	err = c.call(ctx, http.MethodPost, c.path()+"/replay", nil, body, &done)
	return done.Replayed, done.Next, err
}

type lettersPurge struct {
	lettersOf
	letterFilter
	consumeFlags
	Yes bool `help:"Do not ask."`
}

// Help has examples.
func (*lettersPurge) Help() string {
	return `What is dropped is gone. On a terminal it asks first; anywhere else it wants --yes.

Examples:
  fanfare deadletters purge orders billing --until 2026-01-31T12:00:00Z
  fanfare deadletters purge orders billing --all --yes`
}

// Validate finds wrong flags.
func (c *lettersPurge) Validate() error { return c.consumeFlags.check(&c.letterFilter) }

var errNotPurged = errors.New("nothing was dropped")

// confirm asks on a terminal.
func (c *lettersPurge) confirm() error {
	if c.Yes {
		return nil
	}
	if !isatty.IsTerminal(os.Stdin.Fd()) {
		return fmt.Errorf("%w: there is no terminal to ask on; --yes says that it is meant", errNotPurged)
	}
	fmt.Fprintf(os.Stderr, "Drop these dead letters of %s on %s for good? [y/N] ", c.Subscription, c.Topic)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); err != nil || answer != "y" && answer != "yes" {
		return errNotPurged
	}
	return nil
}

// Run drops call by call.
func (c *lettersPurge) Run(ctx context.Context) error {
	if err := c.confirm(); err != nil {
		return err
	}
	purged, err := 0, error(nil)
	for _, seq := range c.Sequence {
		if err = c.call(ctx, http.MethodDelete, c.path()+"/"+strconv.FormatUint(seq, 10), nil, nil, nil); err != nil {
			break
		}
		purged++
	}
	if len(c.Sequence) == 0 {
		purged, err = c.walk(c.After, "dropped", func(after uint64, limit int) (int, uint64, error) {
			q := c.query(after, limit)
			if c.All {
				q.Set("all", "true")
			}
			var done struct {
				Purged int
				Next   uint64
			}
			err := c.call(ctx, http.MethodDelete, c.path(), q, nil, &done)
			return done.Purged, done.Next, err
		})
	}
	if err != nil {
		return fmt.Errorf("%w (%d were dropped)", err, purged)
	}
	if c.JSON {
		return printJSONLine(map[string]int{"purged": purged})
	}
	_, err = fmt.Fprintf(os.Stdout, "%d dead letters were dropped.\n", purged)
	return err
}
