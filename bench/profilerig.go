package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

// profileRig is a server, its subscriber and the load of one scenario. The starter must stop it.
type profileRig struct {
	suite    *suite // whose processes these are
	scenario ProfileScenario
	data     string
	server   *process
	sink     *process
	backlog  int64   // messages that were stored before the subscriptions were there
	rate     float64 // publishes per second of the open loop; 0: a closed loop
}

// profileRun is what one load did, and what that cost the server.
type profileRun struct {
	messages  int64 // published, or read from the backlog by every subscription
	pushes    int64
	errors    int64
	cpu, took time.Duration
	p50, p99  float64 // of the publishes, µs; of the slowest load generator
}

// each is the CPU time of one push, or of one publish where nothing is pushed, in µs.
func (r *profileRun) each() float64 { return micros(r.cpu) / float64(max(r.pushes, r.messages, 1)) }

func (r *profileRun) perSecond() float64 { return perSecond(max(r.pushes, r.messages), r.took) }

// startRig starts server and subscriber, and makes topic, backlog and subscriptions.
func startRig(ctx context.Context, s *suite, sc ProfileScenario, flags ...string) (_ *profileRig, err error) {
	r := &profileRig{suite: s, scenario: sc}
	if r.data, err = os.MkdirTemp(s.dir, "data-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	if r.server, err = s.start(ctx, append(r.serverArgs(r.data), flags...)...); err != nil {
		return nil, err
	}
	if r.sink, err = s.start(ctx, "sink", "--listen", "127.0.0.1:0", "--delay", sc.Delay.String()); err != nil {
		return nil, err
	}
	if err = r.put(ctx, "", map[string]any{"retention": map[string]string{"age": "1h"}}, sc.Backlog > 0); err != nil {
		return nil, err
	}
	if sc.Backlog > 0 {
		stored, err := r.publish(ctx, sc.Backlog, 0)
		if err != nil {
			return nil, err
		}
		r.backlog = stored.messages
	}
	for i := range sc.Fanout {
		err := r.put(ctx, "/subscriptions/"+subscriptionName(i), map[string]any{
			"kind": "webhook", "endpoint": fmt.Sprintf("http://%s/%d", r.sink.listen, i), "envelope": "raw",
			"max_in_flight": sc.InFlight, "pipeline": sc.Pipeline,
		}, true)
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

func subscriptionName(i int) string { return "s" + strconv.Itoa(i) }

func (r *profileRig) serverArgs(data string) []string {
	return serveArgs(r.scenario.Durability, data)
}

// stop ends the processes and removes the data. It is idempotent.
func (r *profileRig) stop() {
	for _, p := range []*process{r.server, r.sink} {
		if p != nil {
			p.stop()
		}
	}
	_ = os.RemoveAll(r.data) // with the suite's directory in any case
}

const profileTopic = "/v1/topics/bench"

func (r *profileRig) put(ctx context.Context, path string, config map[string]any, withConfig bool) error {
	body := []byte("{}")
	if withConfig {
		var err error
		if body, err = json.Marshal(config); err != nil {
			return err
		}
	}
	return r.request(ctx, "PUT", profileTopic+path, string(body))
}

func (r *profileRig) request(ctx context.Context, method, path, body string) error {
	status, reply, err := call(ctx, r.server.listen, method, path, body)
	if err == nil && (status < 200 || status > 299) {
		err = fmt.Errorf("%s %s: status %d: %s", method, path, status, excerpt([]byte(reply)))
	}
	return err
}

// run makes the scenario's load once: for so long, or until the backlog was pushed.
func (r *profileRig) run(ctx context.Context, d time.Duration) (profileRun, error) {
	before, err := r.server.cpu()
	if err != nil {
		return profileRun{}, err
	}
	begin := time.Now()
	run, err := r.load(ctx, d)
	if err != nil {
		return run, err
	}
	run.took = time.Since(begin)
	after, err := r.server.cpu()
	run.cpu = after - before
	return run, err
}

func (r *profileRig) load(ctx context.Context, d time.Duration) (profileRun, error) {
	fanout := int64(r.scenario.Fanout)
	before, err := r.sunk(ctx)
	if err != nil {
		return profileRun{}, err
	}
	var run profileRun
	if r.backlog > 0 {
		run.messages, err = r.backlog, r.replay(ctx)
	} else {
		run, err = r.publish(ctx, d, r.rate)
	}
	run.pushes = run.messages * fanout
	if err == nil && fanout > 0 {
		err = r.waitSunk(ctx, before+run.pushes)
	}
	return run, err
}

// replay sets every subscription back to the beginning.
func (r *profileRig) replay(ctx context.Context) error {
	for i := range r.scenario.Fanout {
		if err := r.request(ctx, "POST", profileTopic+"/subscriptions/"+subscriptionName(i)+"/replay", `{"from":"earliest"}`); err != nil {
			return err
		}
	}
	return nil
}

// drain pushes the backlog again and again until the context ends, and returns what was pushed until then.
func (r *profileRig) drain(ctx context.Context) (profileRun, error) {
	var run profileRun
	cpu, err := r.server.cpu()
	if err != nil {
		return run, err
	}
	begin := time.Now()
	before, err := r.sunk(ctx)
	for err == nil {
		_, err = r.load(ctx, 0)
	}
	if ctx.Err() == nil {
		return run, err
	}
	after, err := r.sunk(context.WithoutCancel(ctx))
	run.pushes, run.took = after-before, time.Since(begin)
	run.messages = run.pushes / int64(max(1, r.scenario.Fanout))
	cpuAfter, cpuErr := r.server.cpu()
	run.cpu = cpuAfter - cpu
	return run, errors.Join(err, cpuErr)
}

// publish runs a load generator for each face.
func (r *profileRig) publish(ctx context.Context, d time.Duration, rate float64) (profileRun, error) {
	results := make([]Result, len(r.scenario.Faces))
	errs := make([]error, len(results))
	var running sync.WaitGroup
	for i := range results {
		running.Go(func() { errs[i] = r.suite.run(ctx, &results[i], r.loadArgs(i, d, rate)...) })
	}
	running.Wait()
	var run profileRun
	for _, result := range results {
		run.messages += result.Published
		run.errors += result.Errors
		run.p50, run.p99 = max(run.p50, float64(result.P50)), max(run.p99, float64(result.P99))
	}
	err := errors.Join(errs...)
	if err == nil && run.messages == 0 {
		err = errors.New("nothing was published")
	}
	return run, err
}

// loadArgs call the load generator of a face.
func (r *profileRig) loadArgs(face int, d time.Duration, rate float64) []string {
	target := "LISTEN"
	if r.server != nil {
		target = r.server.listen
	}
	faces := len(r.scenario.Faces)
	l := load{
		face: r.scenario.Faces[face], topic: "bench", size: r.scenario.SizeBytes, conns: max(1, r.scenario.Conns/faces),
		duration: d, rate: rate / float64(faces),
	}
	return l.args(target)
}

// calibrate finds the rate of an open loop: the scenario's share of what server, load and subscriber together get done.
func (r *profileRig) calibrate(ctx context.Context) error {
	if r.scenario.Share == 0 || r.backlog > 0 {
		return nil
	}
	// What a short closed loop publishes is many times what is pushed meanwhile. The first opens the connections.
	burst := min(max(100*time.Millisecond, 3*time.Second/time.Duration(max(1, r.scenario.Fanout))), 500*time.Millisecond)
	var run profileRun
	for range 2 {
		var err error
		if run, err = r.run(ctx, burst); err != nil {
			return err
		}
	}
	r.rate = max(1, r.scenario.Share*float64(run.messages)/run.took.Seconds())
	return nil
}

// sunk is the number of requests the subscriber has had.
func (r *profileRig) sunk(ctx context.Context) (int64, error) { return r.sink.sunk(ctx) }

// waitSunk waits until the subscriber has had that many requests, as long as there is progress.
func (r *profileRig) waitSunk(ctx context.Context, want int64) error {
	return waitCount(ctx, want, r.sunk)
}
