package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

const goawsNote = "Keeps nothing on the disk. Pushes while the publisher waits for its answer, once: a push that fails is lost. Signs each push."

// startGoAWS starts goaws with a topic and a subscription from its file, of the form in its README. It listens on all
// addresses of the machine: it has no setting for that.
func (s *suite) startGoAWS(ctx context.Context, c *contestant) error {
	dir, err := s.peerFolder("goaws")
	if err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	opts := PublishOptions{Target: "http://" + addr, Topic: peerTopic}
	opts.setDefaults()
	file := filepath.Join(dir, "goaws.yaml")
	config := fmt.Sprintf(`Local:
  Host: 127.0.0.1
  Port: "%s"
  Region: %s
  AccountId: "%s"
  LogToFile: false
  Topics:
    - Name: %s
      Subscriptions:
        - Protocol: http
          EndPoint: http://%s/goaws
          TopicArn: arn:aws:sns:%s:%s:%s
          Raw: true
`, port, opts.Region, opts.Account, peerTopic, s.sink.listen, opts.Region, opts.Account, peerTopic)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	c.dial = dialHTTP(addr, forms["sns"](&opts, Text(1024), time.Now()))
	return s.startPeer(ctx, c, s.opts.Peers.GoAWS, dir, addr, "-config", file)
}
