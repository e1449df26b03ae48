package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fanfare/engine/pebblestore"
	"fanfare/engine/transfer"

	"github.com/mattn/go-isatty"
)

type exportCommand struct {
	Data string `help:"Directory of the store." default:"./fanfare-data" placeholder:"DIR" env:"FANFARE_DATA"`
	File string `arg:"" help:"File to write; - is the standard output."`
}

// Run exports. The store is not changed by a byte.
func (c *exportCommand) Run() (err error) {
	store, err := pebblestore.OpenCopy(pebblestore.Options{Dir: c.Data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Lost(); err != nil {
		return err
	}
	var counts transfer.Counts
	write := func(w io.Writer) (err error) {
		counts, err = transfer.Export(store, w, progressTo(os.Stderr, "exported"))
		return err
	}
	if c.File == "-" {
		err = write(os.Stdout)
	} else {
		err = writeWhole(c.File, write)
	}
	if err != nil {
		return err
	}
	report(os.Stderr, "exported", counts)
	return nil
}

// writeWhole writes a file that did not exist, or leaves none.
func writeWhole(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

type importCommand struct {
	Data string `help:"Directory of the new store; it must not exist, or be empty." default:"./fanfare-data" placeholder:"DIR" env:"FANFARE_DATA"`
	File string `arg:"" help:"File to read; - is the standard input."`
}

// Run imports into a directory beside the wanted one, which takes its name when everything is in it.
func (c *importCommand) Run() (err error) {
	dir := filepath.Clean(c.Data)
	if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
		return fmt.Errorf("%s is not empty: import into a directory that does not exist yet", dir)
	}
	in := io.ReadCloser(os.Stdin)
	if c.File != "-" {
		if in, err = os.Open(c.File); err != nil {
			return err
		}
	}
	defer in.Close()
	temp := dir + ".importing"
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(temp, 0o755); err != nil {
		return fmt.Errorf("%w: if no other import is running, remove it", err)
	}
	counts, err := importInto(temp, in)
	if err == nil {
		err = takeName(temp, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	report(os.Stderr, "imported", counts)
	return nil
}

func importInto(dir string, in io.Reader) (transfer.Counts, error) {
	store, err := pebblestore.Open(pebblestore.Options{Dir: dir})
	if err != nil {
		return transfer.Counts{}, err
	}
	counts, err := transfer.Import(store, in, progressTo(os.Stderr, "imported"))
	return counts, errors.Join(err, store.Close())
}

// takeName gives a directory the name of one that does not exist, or is empty, durably.
func takeName(temp, dir string) error {
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: import into a directory below it", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(dir))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// progressTo tells a terminal how far it is; other files get nothing.
func progressTo(f *os.File, what string) func(transfer.Counts) {
	if !isatty.IsTerminal(f.Fd()) {
		return nil
	}
	return func(c transfer.Counts) { fmt.Fprintf(f, "\r%s %d messages, %d MiB ", what, c.Messages, c.Bytes>>20) }
}

func report(f *os.File, what string, c transfer.Counts) {
	if isatty.IsTerminal(f.Fd()) {
		fmt.Fprintln(f)
	}
	fmt.Fprintf(f, "%s %d topics, %d queues, %d messages, %d subscriptions, %d dead letters and %d scheduled entries, %d bytes\n",
		what, c.Topics, c.Queues, c.Messages, c.Progress, c.DeadLetters, c.Timers, c.Bytes)
}
