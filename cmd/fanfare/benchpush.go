package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"fanfare/bench"
	"fanfare/engine"
)

// benchPush measures what a push costs: engine and egress in this process alone, without HTTP in front of them.
type benchPush struct {
	Target   string        `help:"URL to push to, of a sink." required:""`
	Kind     string        `help:"Kind of the subscriptions." default:"webhook"`
	Fanout   int           `help:"Subscriptions." default:"1"`
	Pipeline int           `help:"Requests in flight per connection." default:"1"`
	Conns    int           `help:"Connections, of all subscriptions." default:"64"`
	Size     int           `help:"Bytes of a message's body." default:"1024"`
	Duration time.Duration `help:"How long to push." default:"5s"`
	Backlog  int           `name:"messages-in-flight" help:"Messages that are published ahead of their pushes." default:"512"`
	Profile  string        `name:"cpu-profile" help:"File for a CPU profile of the pushes." placeholder:"FILE"`
	JSON     bool          `name:"json" help:"Print the result as one line of JSON."`
}

// pushResult is what benchPush measured.
type pushResult struct {
	Messages  int64   `json:"messages"`
	Pushed    int64   `json:"pushed"`
	PerSecond float64 `json:"per_second"` // pushes
	// CPU is the CPU time of publishing and pushing less that of publishing as much to nobody.
	CPU        int64 `json:"cpu_us"`
	PublishCPU int64 `json:"publish_cpu_us"`
	Errors     int64 `json:"errors"` // pushes that failed
}

// String is the result for people, in one line.
func (r *pushResult) String() string {
	each := 0.0
	if r.Pushed > 0 {
		each = float64(r.CPU) / float64(r.Pushed)
	}
	return fmt.Sprintf("pushed %d messages %d times, %.0f per second, %.2f µs of CPU each, errors %d", r.Messages, r.Pushed, r.PerSecond, each, r.Errors)
}

// validate reports everything that is wrong with the flags.
func (c *benchPush) validate() error {
	var faults []error
	for name, v := range map[string]int{"fanout": c.Fanout, "pipeline": c.Pipeline, "conns": c.Conns, "messages-in-flight": c.Backlog} {
		if v < 1 {
			faults = append(faults, fmt.Errorf("%s: %d is below 1", name, v))
		}
	}
	if c.Size < 0 || c.Size > 16<<20 {
		faults = append(faults, fmt.Errorf("size: %d is not between 0 and 16 MiB", c.Size))
	}
	if c.Duration <= 0 {
		faults = append(faults, fmt.Errorf("duration: %v is not positive", c.Duration))
	}
	return errors.Join(faults...)
}

// Run pushes.
func (c *benchPush) Run(ctx context.Context) error {
	if err := c.validate(); err != nil {
		return err
	}
	config := defaultConfig()
	config.Durability = string(engine.DurabilityMemory)
	log := newLogger(os.Stderr, "error")
	setProcs(log)
	config.setMemory()
	k, err := openCore(config, log)
	if err != nil {
		return err
	}
	k.start()
	result, err := c.measure(ctx, k)
	err = errors.Join(err, k.drain(10*time.Second), k.store.Close())
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	_, err = fmt.Fprintln(os.Stdout, result)
	return err
}

// measure publishes to a topic with subscriptions, and then as much to one without.
func (c *benchPush) measure(ctx context.Context, k *core) (*pushResult, error) {
	fanned, _, err := k.engine.CreateTopic("fanned", nil)
	if err != nil {
		return nil, err
	}
	alone, _, err := k.engine.CreateTopic("alone", nil)
	if err != nil {
		return nil, err
	}
	for i := range c.Fanout {
		conns := max(c.Conns/c.Fanout, 1)
		_, _, err := k.engine.PutSubscription(fanned, engine.SubscriptionConfig{
			Name: fmt.Sprintf("s%d", i), Kind: c.Kind, Endpoint: fmt.Sprintf("%s/%d", strings.TrimSuffix(c.Target, "/"), i),
			MaxInFlight: conns * c.Pipeline, Pipeline: c.Pipeline,
		})
		if err != nil {
			return nil, err
		}
	}
	p := pushBench{core: k, command: c, body: []byte(bench.Text(c.Size))}
	warm := p.run(ctx, fanned, c.Duration/5, 0, true)
	stop, err := startProfile(c.Profile)
	if err != nil {
		return nil, err
	}
	pushed := p.run(ctx, fanned, c.Duration, 0, true)
	if err := stop(); err != nil {
		return nil, err
	}
	p.run(ctx, alone, c.Duration, warm.messages, false)
	bare := p.run(ctx, alone, c.Duration, pushed.messages, false)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if pushed.messages == 0 {
		return nil, errors.New("nothing was pushed")
	}
	share := float64(pushed.messages) / float64(max(bare.messages, 1)) // the second may be out of time first
	publish := int64(share * float64(bare.cpu.Microseconds()))
	s := k.egress.Stats()
	return &pushResult{
		Messages: pushed.messages, Pushed: pushed.messages * int64(c.Fanout),
		PerSecond:  float64(pushed.messages) * float64(c.Fanout) / pushed.took.Seconds(),
		CPU:        pushed.cpu.Microseconds() - publish,
		PublishCPU: publish,
		Errors:     int64(s.Failed + s.Refused),
	}, nil
}

// startProfile begins a CPU profile and returns what ends it; without a file both do nothing.
func startProfile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// pushBench publishes in a closed loop: as many messages are ahead of their pushes as the command says.
type pushBench struct {
	core    *core
	command *benchPush
	body    []byte
	group   []*engine.Message
	errs    []error
}

// pushRun is what one run of it did.
type pushRun struct {
	messages  int64
	cpu, took time.Duration
}

const pushGroupMax = 64 // messages published with one wait

// run publishes until the time is over, or a number of messages is reached, and waits until all are pushed.
func (p *pushBench) run(ctx context.Context, t *engine.Topic, d time.Duration, most int64, pushes bool) pushRun {
	fanout := int64(p.command.Fanout)
	ended := func() int64 {
		s := p.core.egress.Stats()
		return int64(s.Delivered + s.Buried + s.Expired)
	}
	start, cpu, begin := ended(), bench.OwnCPU(), time.Now()
	r := pushRun{}
	look := time.NewTicker(500 * time.Microsecond)
	defer look.Stop()
	for open := true; ; {
		done := r.messages
		if pushes {
			done = (ended() - start) / fanout
		}
		open = open && ctx.Err() == nil && time.Since(begin) < d && (most == 0 || r.messages < most)
		if !open && (done >= r.messages || ctx.Err() != nil) {
			break
		}
		for room := int64(p.command.Backlog) - (r.messages - done); open && room > 0; room -= pushGroupMax {
			r.messages += p.publish(t, int(min(room, pushGroupMax)))
		}
		<-look.C
	}
	r.cpu, r.took = bench.OwnCPU()-cpu, time.Since(begin)
	return r
}

// publish publishes a group and returns how many messages were accepted.
func (p *pushBench) publish(t *engine.Topic, n int) (accepted int64) {
	p.group, p.errs = p.group[:0], p.errs[:0]
	for range n {
		m := engine.NewMessage()
		m.Set(engine.FieldContentType, []byte("text/plain;charset=utf-8"))
		m.Set(engine.FieldBody, p.body)
		p.group, p.errs = append(p.group, m), append(p.errs, nil)
	}
	p.core.engine.PublishGroup(t, p.group, p.errs)
	for i, m := range p.group {
		if p.errs[i] == nil {
			accepted++
		}
		m.Release()
	}
	return accepted
}
