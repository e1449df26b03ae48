package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// programVariable makes the test binary be a stand-in for the fanfare program, so that the suite can be
// run without it.
const programVariable = "BENCH_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		if err := program(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// program is the stand-in: the commands the suite calls, and some that misbehave.
func program(args []string) error {
	if len(args) > 0 && strings.HasPrefix(args[0], "fake-") {
		return fakePeer(args)
	}
	words, flags := parseArgs(args)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	switch words {
	case "serve":
		return serveEngine(ctx, newFakeEngine(), flags["listen"], flags["data"])
	case "sink":
		sink, err := NewSink(SinkOptions{})
		if err != nil {
			return err
		}
		return serveUntil(ctx, sink, flags["listen"])
	case "bench fixed-reply":
		return serveUntil(ctx, NewFixedReply(), flags["listen"])
	case "bench publish":
		opts := PublishOptions{Target: flags["target"], Face: flags["face"], Topic: flags["topic"]}
		opts.SizeBytes, opts.Conns = atoi(flags["size"]), atoi(flags["conns"])
		opts.Duration, _ = time.ParseDuration(flags["duration"])
		opts.Rate, _ = strconv.ParseFloat(flags["rate"], 64)
		opts.Topics, opts.Stamp = atoi(flags["topics"]), flags["stamp"] != ""
		opts.Batch, opts.Groups = atoi(flags["batch"]), atoi(flags["groups"])
		if file := flags["secret-file"]; file != "" {
			secret, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			opts.AccessKey, opts.Secret = flags["access-key"], strings.TrimSpace(string(secret))
		}
		result, err := Publish(ctx, opts, nil)
		for err == nil && result.Published+result.Errors == 0 && ctx.Err() == nil { // a machine too busy for so short a time
			opts.Duration *= 2
			result, err = Publish(ctx, opts, nil)
		}
		return errors.Join(err, json.NewEncoder(os.Stdout).Encode(result))
	case "bench receive":
		opts := ReceiveOptions{Target: flags["target"], Queue: flags["queue"], Conns: atoi(flags["conns"]), Count: int64(atoi(flags["count"]))}
		opts.Duration, _ = time.ParseDuration(flags["duration"])
		result, err := Receive(ctx, opts, nil)
		for err == nil && result.Received+result.Errors == 0 && ctx.Err() == nil {
			opts.Duration *= 2
			result, err = Receive(ctx, opts, nil)
		}
		return errors.Join(err, json.NewEncoder(os.Stdout).Encode(result))
	case "bench push-loop":
		opts := PushLoopOptions{Target: flags["target"], SizeBytes: atoi(flags["size"]), Conns: atoi(flags["conns"])}
		opts.Duration, _ = time.ParseDuration(flags["duration"])
		opts.Pipeline = atoi(flags["pipeline"])
		result, err := PushLoop(ctx, opts)
		for err == nil && result.Pushed == 0 && ctx.Err() == nil { // a machine too busy for so short a time
			opts.Duration *= 2
			result, err = PushLoop(ctx, opts)
		}
		return errors.Join(err, json.NewEncoder(os.Stdout).Encode(result))
	case "bench push":
		// As much for everything, and a failure where nothing is asked of it.
		_, err := fmt.Fprintf(os.Stdout, `{"pushed":%d,"per_second":50,"cpu_us":%d,"errors":1}`+"\n", atoi(flags["fanout"]), 7*atoi(flags["fanout"]))
		return err
	case "crash":
		return errors.New("out of cheese")
	case "chatter": // prints far more than a pipe holds, and ends
		_, err := io.Copy(os.Stdout, io.LimitReader(endless{}, 1<<20))
		return err
	case "wait":
		<-ctx.Done()
		return nil
	case "deaf": // does not end when asked to
		signal.Ignore(syscall.SIGTERM)
		sayListening("127.0.0.1:1")
		select {}
	default:
		return fmt.Errorf("unknown command %q", words)
	}
}

func parseArgs(args []string) (string, map[string]string) {
	var words []string
	flags := map[string]string{}
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "--")
		switch {
		case !isFlag:
			words = append(words, args[i])
		case name == "json" || name == "stamp":
			flags[name] = "true"
		default:
			i++
			flags[name] = args[i]
		}
	}
	return strings.Join(words, " "), flags
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func sayListening(addr string) { sayAdmin(addr, "127.0.0.1:2") }

func sayAdmin(addr, admin string) {
	fmt.Fprintln(os.Stderr, "some line before")
	fmt.Fprintf(os.Stderr, `{"level":"info","message":"listening","listen":%q,"admin":%q}`+"\n", addr, admin)
}

type server interface {
	Serve(ln net.Listener) error
	Shutdown(ctx context.Context) error
}

func serveUntil(ctx context.Context, s server, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	sayListening(ln.Addr().String())
	context.AfterFunc(ctx, func() { _ = s.Shutdown(context.Background()) })
	return s.Serve(ln)
}

// serveEngine is serveUntil with an admin listener that is the same, and data in a file of its directory.
func serveEngine(ctx context.Context, e *fakeEngine, addr, data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	file := filepath.Join(data, "topics")
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &e.topics); err != nil {
			return err
		}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	sayAdmin(ln.Addr().String(), ln.Addr().String())
	context.AfterFunc(ctx, func() { _ = e.Shutdown(context.Background()) })
	if err := e.Serve(ln); err != nil {
		return err
	}
	text, err := json.Marshal(e.topics)
	return errors.Join(err, os.WriteFile(file, text, 0o600))
}

// fakeEngine takes native and SMQ publishes and pushes them before it answers, and batches of SNS; and it has queues.
type fakeEngine struct {
	server *fasthttp.Server
	client fasthttp.Client

	mu        sync.Mutex
	topics    map[string][]string // endpoints by topic; guarded by mu
	published int                 // guarded by mu
	collected int                 // guarded by mu
	queues    map[string]int      // messages by queue; guarded by mu
	placed    map[string][]string // queues by topic; guarded by mu
}

func newFakeEngine() *fakeEngine {
	e := &fakeEngine{topics: map[string][]string{}, queues: map[string]int{}, placed: map[string][]string{}}
	e.server = bareServer(e.handle)
	return e
}

// manage answers what the admin listener is asked. A message costs two allocations, a look ten, a collection 5 ms; a
// topic is 1,000 bytes, an endpoint 3,000.
func (e *fakeEngine) manage(ctx *fasthttp.RequestCtx) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch string(ctx.Path()) {
	case "/metrics":
		e.published += 5
		endpoints := 0
		for _, all := range e.topics {
			endpoints += len(all)
		}
		fmt.Fprintf(ctx, "# HELP go_memstats_mallocs_total Objects.\n%s %d\n%s %g\n%s %d\n%s 4096\n%s 1e+06\ngo_gc_duration_seconds{quantile=\"0\"} 1\n",
			metricMallocs, 2*e.published, metricGC, 0.005*float64(e.collected), metricHeap, 1000*len(e.topics)+3000*endpoints, metricStacks, metricResident)
	case "/debug/pprof/heap":
		e.collected++
	case "/debug/pprof/profile", "/debug/pprof/allocs", "/debug/pprof/mutex", "/debug/pprof/block":
		// Whatever is asked for, at once.
		if err := pprof.Lookup("goroutine").WriteTo(ctx, 0); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
		}
	default:
		return false
	}
	return true
}

func (e *fakeEngine) Serve(ln net.Listener) error        { return e.server.Serve(ln) }
func (e *fakeEngine) Shutdown(ctx context.Context) error { return e.server.ShutdownWithContext(ctx) }

func (e *fakeEngine) handle(ctx *fasthttp.RequestCtx) {
	if e.manage(ctx) || e.amazon(ctx) {
		return
	}
	parts := strings.Split(strings.TrimPrefix(string(ctx.Path()), "/v1"), "/") // "", "topics", T, ...
	if len(parts) < 3 || parts[1] != "topics" {
		ctx.Error("no such path", fasthttp.StatusNotFound)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	endpoints, known := e.topics[parts[2]]
	switch {
	case ctx.IsPut() && len(parts) == 3:
		e.topics[parts[2]] = endpoints
	case !known:
		ctx.Error("no such topic", fasthttp.StatusNotFound)
	case ctx.IsPut() && len(parts) == 5 && parts[3] == "subscriptions":
		var config struct {
			Endpoint string
			Tag      string `json:"filter_tag"`
		}
		if err := json.Unmarshal(ctx.PostBody(), &config); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		if config.Tag == "" { // no message has another
			e.topics[parts[2]] = append(endpoints, config.Endpoint)
		}
	case ctx.IsPost() && len(parts) == 4 && parts[3] == "messages":
		e.published++
		for _, endpoint := range endpoints {
			if err := e.push(endpoint, ctx.PostBody()); err != nil {
				ctx.Error(err.Error(), fasthttp.StatusBadGateway)
				return
			}
		}
		ctx.SetStatusCode(fasthttp.StatusCreated)
	case ctx.IsPost() && len(parts) == 6 && parts[5] == "replay":
		for range e.published {
			if err := e.push(endpoints[atoi(parts[4][1:])], nil); err != nil {
				ctx.Error(err.Error(), fasthttp.StatusBadGateway)
				return
			}
		}
	default:
		ctx.Error("no such request", fasthttp.StatusBadRequest)
	}
}

func (e *fakeEngine) push(endpoint string, body []byte) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.SetRequestURI(endpoint)
	req.SetBodyRaw(body)
	return e.client.Do(req, resp)
}

// serve runs a server on a loopback port until the test ends, and returns its address.
func serve(t *testing.T, s server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := s.Serve(ln); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		serving.Wait()
	})
	return ln.Addr().String()
}

// noneLeft fails the test if a goroutine of this package is still there when it ends.
func noneLeft(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		deadline := time.NewTimer(5 * time.Second)
		defer deadline.Stop()
		tick := time.NewTicker(5 * time.Millisecond) // a goroutine that has been waited for may still be on its way out
		defer tick.Stop()
		for {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			var left []string
			for _, g := range strings.Split(string(stacks), "\n\n") {
				if strings.Contains(g, "fanfare/bench.(*") || strings.Contains(g, "fasthttp.(*HostClient)") {
					left = append(left, g)
				}
			}
			if len(left) == 0 {
				return
			}
			select {
			case <-tick.C:
			case <-deadline.C:
				t.Errorf("goroutines left behind:\n%s", strings.Join(left, "\n\n"))
				return
			}
		}
	})
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
