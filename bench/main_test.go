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
	"runtime"
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
		return serveUntil(ctx, newFakeEngine(), flags["listen"])
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
		result, err := Publish(ctx, opts, nil)
		return errors.Join(err, json.NewEncoder(os.Stdout).Encode(result))
	case "bench push-loop":
		opts := PushLoopOptions{Target: flags["target"], SizeBytes: atoi(flags["size"]), Conns: atoi(flags["conns"])}
		opts.Duration, _ = time.ParseDuration(flags["duration"])
		result, err := PushLoop(ctx, opts)
		return errors.Join(err, json.NewEncoder(os.Stdout).Encode(result))
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
		case name != "json":
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

func sayListening(addr string) {
	fmt.Fprintln(os.Stderr, "some line before")
	fmt.Fprintf(os.Stderr, `{"level":"info","message":"listening","listen":%q,"admin":"127.0.0.1:2"}`+"\n", addr)
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

// fakeEngine takes native and SMQ publishes and pushes them before it answers.
type fakeEngine struct {
	server *fasthttp.Server
	client fasthttp.Client

	mu     sync.Mutex
	topics map[string][]string // endpoints by topic; guarded by mu
}

func newFakeEngine() *fakeEngine {
	e := &fakeEngine{topics: map[string][]string{}}
	e.server = bareServer(e.handle)
	return e
}

func (e *fakeEngine) Serve(ln net.Listener) error        { return e.server.Serve(ln) }
func (e *fakeEngine) Shutdown(ctx context.Context) error { return e.server.ShutdownWithContext(ctx) }

func (e *fakeEngine) handle(ctx *fasthttp.RequestCtx) {
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
		var config struct{ Endpoint string }
		if err := json.Unmarshal(ctx.PostBody(), &config); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		e.topics[parts[2]] = append(endpoints, config.Endpoint)
	case ctx.IsPost() && len(parts) == 4 && parts[3] == "messages":
		for _, endpoint := range endpoints {
			if _, _, err := e.client.Post(nil, endpoint, nil); err != nil {
				ctx.Error(err.Error(), fasthttp.StatusBadGateway)
				return
			}
		}
		ctx.SetStatusCode(fasthttp.StatusCreated)
	default:
		ctx.Error("no such request", fasthttp.StatusBadRequest)
	}
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
