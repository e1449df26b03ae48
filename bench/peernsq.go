package bench

import (
	"context"
	"net/http"
)

const nsqNote = "nsqd answers when the message is in its memory: 10,000 of them stay there, the rest is written to the disk and synced every " +
	"2,500 messages or 2 s. nsq_to_http pushes, 64 at a time, and again until it is taken."

// startNSQ starts nsqd, and nsq_to_http which takes from it and pushes to the sink. Documents: nsqd and nsq_to_http of
// nsq.io, with the flags they have had since version 1.
func (s *suite) startNSQ(ctx context.Context, c *contestant) error {
	dir, err := s.peerFolder("nsq")
	if err != nil {
		return err
	}
	tcp, err := freeAddress()
	if err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	err = s.startPeer(ctx, c, s.opts.Peers.NSQD, dir, addr, "--tcp-address="+tcp, "--http-address="+addr, "--broadcast-address=127.0.0.1",
		"--data-path="+dir, "--log-level=warn")
	if err != nil {
		return err
	}
	// The channel is what keeps the messages for nsq_to_http, so it is there before the first of them.
	for _, path := range []string{"/topic/create?topic=" + peerTopic, "/channel/create?topic=" + peerTopic + "&channel=push"} {
		if err := c.processes[0].ask(ctx, "POST", path, ""); err != nil {
			return err
		}
	}
	c.dial = dialHTTP(addr, form{path: "/pub?topic=" + peerTopic, body: Text(1024), success: http.StatusOK})
	return s.startPeer(ctx, c, s.opts.Peers.NSQToHTTP, dir, "", "--topic="+peerTopic, "--channel=push", "--nsqd-tcp-address="+tcp,
		"--post=http://"+s.sink.listen+"/nsq", "--max-in-flight=64", "--n=64", "--status-every=0")
}
