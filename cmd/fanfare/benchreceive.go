package main

import (
	"context"
	"os"
	"time"

	"fanfare/bench"
)

// signFlags name the key that requests are signed with.
type signFlags struct {
	AccessKey  string `name:"access-key" help:"Sign requests of sns and sqs with this key." default:""`
	SecretFile string `name:"secret-file" help:"File with the key's secret." default:"" placeholder:"FILE"`
}

// sign gives the options the key.
func (f *signFlags) sign(opts *bench.PublishOptions) error {
	opts.AccessKey = f.AccessKey
	if f.SecretFile == "" {
		return nil
	}
	secret, err := readSecret(f.SecretFile)
	opts.Secret = string(secret)
	return err
}

type benchReceive struct {
	Target   string        `help:"URL of the server." default:"http://127.0.0.1:8080"`
	Queue    string        `help:"Queue; it must exist." required:""`
	Conns    int           `help:"Connections, each with one receiver." default:"32"`
	Max      int           `help:"Messages of one receive, up to 10." default:"10"`
	Duration time.Duration `help:"How long to receive." default:"5s"`
	Count    int64         `help:"Messages after which to end before that; 0 is no such number." default:"0"`
	JSON     bool          `name:"json" help:"Print the result as one line of JSON."`
}

// Run receives and deletes.
func (c *benchReceive) Run(ctx context.Context) error {
	result, err := bench.Receive(ctx, bench.ReceiveOptions{
		Target: c.Target, Queue: c.Queue, Conns: c.Conns, Max: c.Max, Duration: c.Duration, Count: c.Count,
	}, os.Stderr)
	if err != nil {
		return err
	}
	return printLoad(result, c.JSON, result.Errors, result.Received, "received")
}
