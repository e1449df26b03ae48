package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/valyala/fasthttp"
)

// fakePeers writes programs that are this test binary as the stand-ins of the peers, and returns their paths.
func fakePeers(t *testing.T) Peers {
	t.Helper()
	dir := t.TempDir()
	path := func(name string) string {
		file := dir + "/" + name
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' fake-%s \"$@\"\n", os.Args[0], name)
		if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return Peers{NSQD: path("nsqd"), NSQToHTTP: path("nsq_to_http"), GoAWS: path("goaws"), NATSServer: path("nats-server")}
}

// fakePeer is the stand-in of a peer: it takes the flags and the requests that the suite sends to the real one. It leaves
// its process id in its directory.
func fakePeer(args []string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	if err := os.WriteFile("pid-"+args[0], fmt.Append(nil, os.Getpid()), 0o600); err != nil {
		return err
	}
	flags := map[string]string{}
	for i, arg := range args {
		name, value, ok := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		flags[name] = value
	}
	switch args[0] {
	case "fake-nsqd":
		return fakeNSQD(ctx, flags)
	case "fake-nsq_to_http":
		return fakeNSQToHTTP(ctx, flags)
	case "fake-goaws":
		return fakeGoAWS(ctx, flags)
	case "fake-nats-server":
		return fakeNATS(ctx, flags)
	default:
		return fmt.Errorf("no stand-in is called %q", args[0])
	}
}

// serveHTTP answers until the context ends.
func serveHTTP(ctx context.Context, addr string, handle func(*fasthttp.RequestCtx)) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := bareServer(handle)
	context.AfterFunc(ctx, func() { _ = s.Shutdown() })
	return s.Serve(ln)
}

// fakeNSQD keeps a byte for each message, and gives it to whoever connects to its other port.
func fakeNSQD(ctx context.Context, flags map[string]string) error {
	ln, err := net.Listen("tcp", flags["tcp-address"])
	if err != nil {
		return err
	}
	messages := make(chan struct{}, 1<<20)
	go func() {
		nc, err := ln.Accept()
		for err == nil {
			<-messages
			_, err = nc.Write([]byte{1})
		}
	}()
	made := map[string]bool{}
	var mu sync.Mutex
	return serveHTTP(ctx, flags["http-address"], func(ctx *fasthttp.RequestCtx) {
		mu.Lock()
		defer mu.Unlock()
		switch uri := string(ctx.RequestURI()); {
		case strings.HasPrefix(uri, "/topic/create?topic="), strings.HasPrefix(uri, "/channel/create?topic="):
			made[uri] = true
		case uri == "/pub?topic=bench" && len(made) == 2 && len(ctx.PostBody()) == 1024:
			messages <- struct{}{}
		default:
			ctx.Error("no such request: "+uri, fasthttp.StatusNotFound)
		}
	})
}

func fakeNSQToHTTP(ctx context.Context, flags map[string]string) error {
	nc, err := net.Dial("tcp", flags["nsqd-tcp-address"])
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = nc.Close() })
	for message := make([]byte, 1); ; {
		if _, err := nc.Read(message); err != nil {
			return ended(err)
		}
		if _, _, err := fasthttp.Post(nil, flags["post"], nil); err != nil {
			return err
		}
	}
}

var (
	goawsPort     = regexp.MustCompile(`Port: "(\d+)"`)
	goawsEndPoint = regexp.MustCompile(`EndPoint: (\S+)`)
	natsListen    = regexp.MustCompile(`listen: "(\S+)"`)
)

func fakeGoAWS(ctx context.Context, flags map[string]string) error {
	config, err := os.ReadFile(flags["config"])
	if err != nil {
		return err
	}
	port, endpoint := goawsPort.FindSubmatch(config), goawsEndPoint.FindSubmatch(config)
	if port == nil || endpoint == nil {
		return fmt.Errorf("the file has no port or no endpoint: %s", config)
	}
	return serveHTTP(ctx, "127.0.0.1:"+string(port[1]), func(ctx *fasthttp.RequestCtx) {
		if string(ctx.PostArgs().Peek("TopicArn")) != "arn:aws:sns:us-east-1:000000000000:bench" {
			ctx.Error("TopicNotFound", fasthttp.StatusBadRequest)
			return
		}
		if _, _, err := fasthttp.Post(nil, string(endpoint[1]), nil); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadGateway)
		}
	})
}

func fakeNATS(ctx context.Context, flags map[string]string) error {
	config, err := os.ReadFile(flags["config"])
	if err != nil {
		return err
	}
	listen := natsListen.FindSubmatch(config)
	if listen == nil {
		return fmt.Errorf("the file has no address: %s", config)
	}
	ln, err := net.Listen("tcp", string(listen[1]))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = ln.Close() })
	for {
		nc, err := ln.Accept()
		if err != nil {
			return ended(err)
		}
		go natsSession(nc)
	}
}

// ended is no error when it was this process that closed the connection, as it does when it is asked to end.
func ended(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// natsSession acknowledges every publish, as a stream does, and wants to know now and then if the client is there.
func natsSession(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReader(nc)
	fmt.Fprintf(nc, "INFO {\"server_id\":\"x\"}\r\n")
	for n := 0; ; n++ {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		var subject, inbox string
		var size int64
		if _, err := fmt.Sscanf(line, "PUB %s %s %d", &subject, &inbox, &size); err != nil {
			continue
		}
		if _, err := io.CopyN(io.Discard, r, size+2); err != nil {
			return
		}
		fmt.Fprintf(nc, "PING\r\n+OK\r\n%s", natsAnswer(subject, inbox, n))
	}
}

func natsAnswer(subject, inbox string, n int) string {
	body := fmt.Sprintf(`{"stream":"BENCH","seq":%d}`, n)
	switch subject {
	case "full":
		body = `{"error":{"code":503,"description":"no space"}}`
	case "garbled":
		body = "x"
	case "refused":
		return "-ERR 'Permissions Violation'\r\n"
	case "huge":
		return fmt.Sprintf("MSG %s 1 99999999999\r\n", inbox)
	}
	return fmt.Sprintf("MSG %s 1 %d\r\n%s\r\n", inbox, len(body), body)
}
