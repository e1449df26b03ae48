package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	natsNote = "Answers when the message is written to its file, which is synced every 2 minutes (its default): a power cut loses what was " +
		"answered since. Nothing is pushed: it has no HTTP push."
	natsSyncedNote = "Answers when the message is synced to the disk (sync_interval: always). Nothing is pushed: it has no HTTP push."
)

// startNATS starts a server with one stream in files, one replica.
func (s *suite) startNATS(ctx context.Context, c *contestant, syncInterval string) error {
	dir, err := s.peerFolder("nats")
	if err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "nats.conf")
	config := fmt.Sprintf("listen: %q\njetstream {\n  store_dir: %q\n  sync_interval: %q\n}\n", addr, dir, syncInterval)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	if err := s.startPeer(ctx, c, s.opts.Peers.NATSServer, dir, addr, "--config", file); err != nil {
		return err
	}
	setup, err := dialNATS(ctx, addr)
	if err != nil {
		return err
	}
	defer setup.close()
	stream := `{"name":"BENCH","subjects":["` + peerTopic + `"],"storage":"file","num_replicas":1,"discard":"old","max_bytes":268435456}`
	if err := setup.request(ctx, "$JS.API.STREAM.CREATE.BENCH", []byte(stream)); err != nil {
		return err
	}
	body := []byte(Text(1024))
	c.dial = func(ctx context.Context) (publisher, error) {
		n, err := dialNATS(ctx, addr)
		if err != nil {
			return nil, err
		}
		return &natsPublisher{natsConn: n, body: body}, nil
	}
	return nil
}

type natsPublisher struct {
	*natsConn
	body []byte
}

func (p *natsPublisher) publish(ctx context.Context) error { return p.request(ctx, peerTopic, p.body) }

// natsConn speaks as much of the client protocol (docs.nats.io, "Client Protocol") as a publish with its acknowledgement
// takes. It belongs to one goroutine, and ends with the context it was dialled under.
type natsConn struct {
	net    net.Conn
	reader *bufio.Reader
	line   []byte // scratch of requests
	forget func() bool
}

const (
	natsInbox      = "_INBOX.bench." // and the connection's port: where its answers go
	natsAnswerMax  = 64 << 10
	natsAnswerLine = "MSG "
)

func dialNATS(ctx context.Context, addr string) (*natsConn, error) {
	nc, err := (&net.Dialer{Timeout: peerTimeout}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &natsConn{net: nc, reader: bufio.NewReaderSize(nc, 16<<10)}
	c.forget = context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	hello := fmt.Sprintf("CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"go\",\"version\":\"1\",\"name\":\"fanfare-bench\"}\r\nSUB %s 1\r\n", c.inbox())
	if _, err := nc.Write([]byte(hello)); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *natsConn) inbox() string {
	_, port, _ := net.SplitHostPort(c.net.LocalAddr().String()) // TCP addresses have one
	return natsInbox + port
}

func (c *natsConn) close() {
	c.forget()
	_ = c.net.Close()
}

// request publishes to a subject and waits for the answer, which must not be an error.
func (c *natsConn) request(ctx context.Context, subject string, body []byte) error {
	if err := c.net.SetDeadline(time.Now().Add(peerTimeout)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // whose deadline was just overwritten
		return err
	}
	c.line = fmt.Appendf(c.line[:0], "PUB %s %s %d\r\n%s\r\n", subject, c.inbox(), len(body), body)
	if _, err := c.net.Write(c.line); err != nil {
		return err
	}
	answer, err := c.answer()
	if err != nil {
		return err
	}
	var reply struct {
		Error *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		return fmt.Errorf("%s: the answer %q: %w", subject, excerpt(answer), err)
	}
	if reply.Error != nil {
		return fmt.Errorf("%s: %s", subject, reply.Error.Description)
	}
	return nil
}

// answer reads until a message arrives, and returns its body.
func (c *natsConn) answer() ([]byte, error) {
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		switch {
		case bytes.HasPrefix(line, []byte(natsAnswerLine)): // MSG subject id [reply] bytes
			fields := strings.Fields(string(line))
			size, err := strconv.Atoi(fields[len(fields)-1])
			if err != nil || size < 0 || size > natsAnswerMax {
				return nil, fmt.Errorf("a message of %q bytes", fields[len(fields)-1])
			}
			body := make([]byte, size+len("\r\n"))
			for n := 0; n < len(body); {
				m, err := c.reader.Read(body[n:])
				if n += m; err != nil {
					return nil, err
				}
			}
			return body[:size], nil
		case bytes.HasPrefix(line, []byte("PING")):
			if _, err := c.net.Write([]byte("PONG\r\n")); err != nil {
				return nil, err
			}
		case bytes.HasPrefix(line, []byte("-ERR")):
			return nil, errors.New(strings.TrimSpace(string(line)))
		}
	}
}
