package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"go.uber.org/automaxprocs/maxprocs"
)

// version is set by release builds.
var version = "dev"

type cli struct {
	Serve   serveCommand   `cmd:"" default:"withargs" help:"Run the server (the default)."`
	Config  configCommand  `cmd:"" help:"Print the effective configuration, defaults included, as a YAML file."`
	Sink    sinkCommand    `cmd:"" help:"Run a subscriber for trying things: it counts or prints what arrives."`
	Bench   benchCommand   `cmd:"" help:"Generate load and measure."`
	Check   checkCommand   `cmd:"" help:"Read a whole store, while no server has it open, and say what it holds and what is damaged."`
	Export  exportCommand  `cmd:"" help:"Write everything a store holds to a file, while no server has it open."`
	Import  importCommand  `cmd:"" help:"Read a file that export wrote into a new store."`
	Version versionCommand `cmd:"" help:"Print the version."`

	Subscriptions subscriptionsCommand `cmd:"" help:"Show what the subscriptions of a running server are doing."`
	Deadletters   deadLettersCommand   `cmd:"" help:"List, show, deliver again or drop what could not be delivered."`
	Replay        replayCommand        `cmd:"" help:"Set a subscription back to what it had already, or on."`
}

// settings are the flags that serve and config share. An empty one leaves the file's value.
type settings struct {
	Listen     string `help:"Address of all faces (127.0.0.1:8080)." placeholder:"HOST:PORT" env:"FANFARE_LISTEN"`
	Admin      string `help:"Address of health, metrics and profiles (127.0.0.1:8081)." placeholder:"HOST:PORT" env:"FANFARE_ADMIN"`
	Data       string `help:"Directory of the store (./fanfare-data)." placeholder:"DIR" env:"FANFARE_DATA"`
	Config     string `help:"YAML file with the configuration." placeholder:"FILE" env:"FANFARE_CONFIG"`
	Durability string `help:"What an answered publish has survived: sync (a power cut), async (a crash of the process), memory (nothing)." placeholder:"sync|async|memory" env:"FANFARE_DURABILITY"`
	LogLevel   string `help:"trace, debug, info, warn or error (info)." placeholder:"LEVEL" env:"FANFARE_LOG_LEVEL"`
	PublicURL  string `name:"public-url" help:"How subscribers reach the faces, for the links in messages (http://LISTEN)." placeholder:"URL" env:"FANFARE_PUBLIC_URL"`
	Insecure   bool   `help:"Allow to listen beyond this machine although not every request is asked for a signature." env:"FANFARE_INSECURE"`

	MutexFraction *int `name:"profiling-mutex-fraction" help:"Record one of so many contended unlocks for the mutex profile; 0 is none." placeholder:"N" env:"FANFARE_PROFILING_MUTEX_FRACTION"`
	BlockRateNS   *int `name:"profiling-block-rate-ns" help:"Record one wait in so many nanoseconds of waiting for the block profile; 0 is none." placeholder:"N" env:"FANFARE_PROFILING_BLOCK_RATE_NS"`
}

func (s *settings) load() (*config, error) {
	return loadConfig(s.Config, func(c *config) {
		for _, o := range []struct {
			to   *string
			from string
		}{
			{&c.Listen, s.Listen},
			{&c.Admin, s.Admin},
			{&c.Data, s.Data},
			{&c.Durability, s.Durability},
			{&c.LogLevel, s.LogLevel},
			{&c.PublicURL, s.PublicURL},
		} {
			if o.from != "" {
				*o.to = o.from
			}
		}
		c.Insecure = c.Insecure || s.Insecure
		for _, o := range []struct{ to, from *int }{
			{&c.Profiling.MutexFraction, s.MutexFraction},
			{&c.Profiling.BlockRateNS, s.BlockRateNS},
		} {
			if o.from != nil {
				*o.to = *o.from
			}
		}
	})
}

func main() {
	var c cli
	parser := kong.Must(&c,
		kong.Name("fanfare"),
		kong.Description("Fan-out engine that speaks the publish APIs of Amazon SNS, Alibaba SMQ and RocketMQ, Huawei SMN and DMS."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	command, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "fanfare: %v\nRun \"fanfare --help\" for usage.\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "fanfare: %v\n", err)
		os.Exit(exitStatus(err))
	}
}

// newLogger writes for people on a terminal, and JSON everywhere else.
func newLogger(w *os.File, level string) zerolog.Logger {
	var out io.Writer = w
	if isatty.IsTerminal(w.Fd()) {
		out = zerolog.ConsoleWriter{Out: w, TimeFormat: "15:04:05.000"}
	}
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		l = zerolog.InfoLevel
	}
	return zerolog.New(out).Level(l).With().Timestamp().Logger()
}

// setProcs fits GOMAXPROCS to the container's CPU quota.
func setProcs(log zerolog.Logger) {
	if _, err := maxprocs.Set(); err != nil {
		log.Warn().Err(err).Msg("reading the CPU quota failed")
	}
	log.Debug().Int("procs", runtime.GOMAXPROCS(0)).Msg("processors")
}

type configCommand struct{ settings }

// Run prints the configuration.
func (c *configCommand) Run() error {
	config, err := c.load()
	if err != nil {
		return err
	}
	text, err := config.dump()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(os.Stdout, "fanfare %s%s %s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
