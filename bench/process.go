package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 2 * time.Minute  // until a server says where it listens: a disk that is busy with something else may take long
	stopTimeout  = 20 * time.Second // until a server that was asked to has ended; then it is killed
	tailLines    = 20               // of a process's output, kept for an error
)

// process is a server of the suite in a process of its own. The starter owns it and must stop it.
type process struct {
	name   string // for errors
	cmd    *exec.Cmd
	listen string // where it serves
	admin  string // its admin listener, if it has one
	data   string // directory of an engine's data
	output *output
	exited chan struct{} // closed when the process has ended and its output is read
	once   sync.Once
}

// listening is the log line by which a server says that it is ready.
type listening struct {
	Message string `json:"message"`
	Listen  string `json:"listen"`
	Admin   string `json:"admin"`
}

// start runs a server and waits until it says where it listens.
func (s *suite) start(ctx context.Context, args ...string) (*process, error) {
	p, err := launch(commandName(args), s.command(args))
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case l := <-p.output.listening:
		p.listen, p.admin = l.Listen, l.Admin
		return p, nil
	case <-p.exited:
		err = errors.New("ended at once")
	case <-timer.C:
		err = errors.New("does not say where it listens")
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.stop()
	s.say("%s", p.output.tail())
	return nil, fmt.Errorf("bench: start %s: %w: %s", p.name, err, lastLine(p.output.tail()))
}

// launch starts a process whose output is read.
func launch(name string, cmd *exec.Cmd) (*process, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: cmd, output: newOutput(), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	err = p.cmd.Start()
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("bench: start %s: %w", p.name, err)
	}
	go func() {
		defer close(p.exited)
		p.output.read(r)
		_ = r.Close()
		_ = p.cmd.Wait() // how it ended is told by its output
	}()
	return p, nil
}

// stop ends the process and waits for it. It is idempotent.
func (p *process) stop() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
		timer := time.NewTimer(stopTimeout)
		defer timer.Stop()
		select {
		case <-p.exited:
		case <-timer.C:
			_ = p.cmd.Process.Kill()
			<-p.exited
		}
	})
}

// cpu is the CPU time the process has used.
func (p *process) cpu() (time.Duration, error) {
	d, err := cpuTime(p.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", p.name, err, lastLine(p.output.tail()))
	}
	return d, nil
}

// run runs a program to its end and decodes the last line it printed.
func (s *suite) run(ctx context.Context, result any, args ...string) error {
	cmd := s.command(args)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("bench: run %s: %w", commandName(args), err)
	}
	forget := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	forget()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		lines := bytes.Split(bytes.TrimSpace(stdout.Bytes()), []byte("\n"))
		err = json.Unmarshal(lines[len(lines)-1], result)
	}
	if err != nil {
		s.say("%s\n%s", strings.Join(args, " "), stderr.String())
		return fmt.Errorf("bench: run %s: %w: %s", commandName(args), err, lastLine(stderr.String()))
	}
	return nil
}

// commandName is the words of a command line before its flags.
func commandName(args []string) string {
	flags := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--") })
	if flags < 0 {
		flags = len(args)
	}
	return strings.Join(args[:flags], " ")
}

// lastLine is what a program says last, which is mostly why it ended.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// command prepares the program under test: in the suite's directory, and with none of the settings that
// the caller's environment may hold for it.
func (s *suite) command(args []string) *exec.Cmd {
	cmd := exec.Command(s.opts.Executable, args...)
	cmd.Dir = s.dir
	apart(cmd)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FANFARE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

// output is what a process prints: its last lines, and the line that says where it listens.
type output struct {
	listening chan listening // gets one

	mu    sync.Mutex
	lines []string // guarded by mu
}

func newOutput() *output { return &output{listening: make(chan listening, 1)} }

// read reads until the end, so that the process never waits for us.
func (o *output) read(from io.Reader) {
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := r.ReadSlice('\n') // a line beyond the buffer comes in pieces
		if len(line) > 0 {
			o.add(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (o *output) add(line []byte) {
	var l listening
	if json.Unmarshal(line, &l) == nil && l.Message == "listening" && l.Listen != "" {
		select {
		case o.listening <- l:
		default:
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.lines) == tailLines {
		o.lines = append(o.lines[:0], o.lines[1:]...)
	}
	o.lines = append(o.lines, strings.TrimRight(string(line), "\n"))
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}
