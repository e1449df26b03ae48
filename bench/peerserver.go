package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// peerFolder makes a directory of the suite's for a program's data.
func (s *suite) peerFolder(name string) (string, error) {
	return os.MkdirTemp(s.dir, name+"-")
}

// freeAddress is a loopback address that nobody listens on. The programs of others do not say where they listen, or not
// in one way, so they are told. In between somebody else could take it: then the row says that its program ended.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// startPeer starts a program in a directory, as one of the contestant's. With an address it waits until the program
// takes connections there.
func (s *suite) startPeer(ctx context.Context, c *contestant, path, dir, addr string, args ...string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	apart(cmd)
	p, err := launch(filepath.Base(path), cmd)
	if err != nil {
		return err
	}
	p.listen = addr
	c.processes = append(c.processes, p)
	if addr == "" {
		return nil
	}
	return p.awaitListening(ctx)
}

// awaitListening waits until the process takes connections.
func (p *process) awaitListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.listen); err == nil {
			return nc.Close()
		}
		var err error
		select {
		case <-tick.C:
			continue
		case <-p.exited:
			err = errors.New("ended at once")
		case <-ctx.Done():
			err = fmt.Errorf("does not listen on %s: %w", p.listen, ctx.Err())
		}
		return fmt.Errorf("bench: start %s: %w: %s", p.name, err, lastLine(p.output.tail()))
	}
}

// ask makes a request that the program must answer with a status below 300.
func (p *process) ask(ctx context.Context, method, path, body string) error {
	status, reply, err := call(ctx, p.listen, method, path, body)
	if err != nil {
		return err
	}
	if status > 299 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, status, excerpt([]byte(reply)))
	}
	return nil
}

// startFanfare starts Fanfare at the work of a peer.
func (s *suite) startFanfare(ctx context.Context, c *contestant, face, durability string) error {
	dir, err := s.peerFolder("fanfare")
	if err != nil {
		return err
	}
	p, err := s.start(ctx, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", dir, "--durability", durability)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, p)
	if err := p.ask(ctx, "PUT", "/v1/topics/"+peerTopic, "{}"); err != nil {
		return err
	}
	if c.pushes {
		body := fmt.Sprintf(`{"kind":"webhook","endpoint":"http://%s/fanfare","envelope":"raw","max_in_flight":%d}`, s.sink.listen, pushConns)
		if err := p.ask(ctx, "PUT", "/v1/topics/"+peerTopic+"/subscriptions/sink", body); err != nil {
			return err
		}
	}
	opts := PublishOptions{Target: "http://" + p.listen, Topic: peerTopic}
	opts.setDefaults()
	c.dial = dialHTTP(p.listen, forms[face](&opts, Text(1024), time.Now()))
	return nil
}
