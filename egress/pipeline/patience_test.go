package pipeline_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/egress/pipeline"
)

// peer is the other end of a connection, in a goroutine of its own.
func peer(t *testing.T, act func(net.Conn)) *pipeline.Conn {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		act(theirs)
	}()
	t.Cleanup(func() {
		_ = theirs.Close()
		<-done
	})
	return pipeline.NewConn(ours)
}

var patience = pipeline.Patience{Write: 5 * time.Second, Answer: 12 * time.Second}

// swallow reads a request of n bytes.
func swallow(c net.Conn, n int) { _, _ = io.CopyN(io.Discard, c, int64(n)) }

func TestAnswerIsTimedFromTheEndOfTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := peer(t, func(nc net.Conn) {
			time.Sleep(4 * time.Second)
			swallow(nc, 1000)
			_, _ = nc.Write([]byte("HTTP/1.1 200 OK\r\n")) // and no more
		})
		defer c.Close()
		begin := time.Now()
		c.Out = append(c.Out, make([]byte, 1000)...)
		if err := c.Flush(patience); err != nil || time.Since(begin) != 4*time.Second {
			t.Fatalf("the write ended with %v after %v", err, time.Since(begin))
		}
		var a pipeline.Answer
		if err := c.ReadAnswer(&a); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != 16*time.Second {
			t.Errorf("the answer ended with %v after %v, want a timeout after 16s", err, time.Since(begin))
		}
	})
}

func TestDripDoesNotStretchAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := peer(t, func(nc net.Conn) {
			swallow(nc, 10)
			for _, b := range []byte("HTTP/1.1 100 Continue\r\n\r\n" + strings.Repeat("HTTP/1.1 200 OK\r\n", 20)) {
				time.Sleep(time.Second)
				if _, err := nc.Write([]byte{b}); err != nil {
					return
				}
			}
		})
		defer c.Close()
		begin := time.Now()
		c.Out = append(c.Out, make([]byte, 10)...)
		if err := c.Flush(patience); err != nil {
			t.Fatal(err)
		}
		var a pipeline.Answer
		if err := c.ReadAnswer(&a); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != patience.Answer {
			t.Errorf("the answer ended with %v after %v, want a timeout after %v", err, time.Since(begin), patience.Answer)
		}
	})
}

// Each of the answers takes nearly all the time there is for one.
func TestEachPipelinedAnswerHasItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const answers = 8
		c := peer(t, func(nc net.Conn) {
			swallow(nc, 10)
			for range answers {
				time.Sleep(patience.Answer - time.Second)
				_, _ = nc.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			}
		})
		defer c.Close()
		begin := time.Now()
		c.Out = append(c.Out, make([]byte, 10)...)
		if err := c.Flush(patience); err != nil {
			t.Fatal(err)
		}
		var a pipeline.Answer
		for i := range answers {
			if err := c.ReadAnswer(&a); err != nil {
				t.Fatalf("answer %d, after %v: %v", i, time.Since(begin), err)
			}
		}
		err := c.ReadAnswer(&a)
		if want := answers*(patience.Answer-time.Second) + patience.Answer; err == nil || time.Since(begin) != want {
			t.Errorf("one answer too many ended with %v after %v, want a timeout after %v", err, time.Since(begin), want)
		}
	})
}

func TestWriteThatMovesIsNotCutOff(t *testing.T) {
	f := func(name string, pause time.Duration, pieces int, want error, after time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c := peer(t, func(nc net.Conn) {
				for range pieces {
					time.Sleep(pause)
					swallow(nc, 100)
				}
			})
			defer c.Close()
			begin := time.Now()
			c.Out = append(c.Out, make([]byte, 500)...)
			if err := c.Flush(patience); !errors.Is(err, want) || time.Since(begin) != after {
				t.Errorf("%s: the write ended with %v after %v, want %v after %v", name, err, time.Since(begin), want, after)
			}
			if want == nil && c.Written != 500 || want != nil && c.Written >= 500 {
				t.Errorf("%s: %d bytes were written", name, c.Written)
			}
		})
	}
	f("at once", 0, 5, nil, 0)
	f("slow, and moving", 2*time.Second, 5, nil, 10*time.Second)
	f("too slow in all", 4*time.Second, 5, os.ErrDeadlineExceeded, 12*time.Second)
	f("it never moves", 0, 0, os.ErrDeadlineExceeded, 5*time.Second)
	f("it stops moving", time.Second, 3, os.ErrDeadlineExceeded, 10*time.Second)
}

// An answer that came before its request was written is found behind the write that failed, without waiting.
func TestEarlyAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := peer(t, func(nc net.Conn) {
			swallow(nc, 10)
			time.Sleep(11 * time.Second) // the write fails after 10
			_, _ = nc.Write([]byte("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"))
		})
		defer c.Close()
		c.Out = append(c.Out, make([]byte, 500)...)
		if err := c.Flush(patience); err == nil {
			t.Fatal("nobody read it all")
		}
		var a pipeline.Answer
		if err := c.ReadEarly(&a); err == nil {
			t.Fatalf("status %d out of nothing", a.Status)
		}
		time.Sleep(6 * time.Second)
		if err := c.ReadEarly(&a); err != nil || a.Status != 413 {
			t.Errorf("status %d, %v", a.Status, err)
		}
	})
}

// An idle connection is looked at: only one that is open and silent can be used again.
func TestResting(t *testing.T) {
	f := func(name string, act func(net.Conn), want bool) {
		t.Helper()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ours, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Close()
		c := pipeline.NewConn(ours)
		defer c.Close()
		if !c.Resting() {
			t.Errorf("%s: a new connection does not rest", name)
		}
		act(theirs)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(5 * time.Second); c.Resting() != want && time.Now().Before(deadline); {
			<-tick.C
		}
		if got := c.Resting(); got != want {
			t.Errorf("%s: resting is %v, want %v", name, got, want)
		}
	}
	f("silent", func(net.Conn) {}, true)
	f("closed", func(nc net.Conn) { _ = nc.Close() }, false)
	f("reset", func(nc net.Conn) { _ = nc.(*net.TCPConn).SetLinger(0); _ = nc.Close() }, false)
	f("talking", func(nc net.Conn) { _, _ = nc.Write([]byte("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")) }, false)
}
