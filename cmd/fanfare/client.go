package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
)

// serverFlag names the running server that a command works on.
type serverFlag struct {
	Server string `help:"URL of the running server." default:"http://127.0.0.1:8080" env:"FANFARE_SERVER" placeholder:"URL"`
}

// replyBytesMax is the longest reply a command reads: a page of a list, or one message with its parts.
const replyBytesMax = 64 << 20

// callTimeout is how long one call may take: a call is a page, whatever the whole command does.
const callTimeout = time.Minute

// call makes a request of the native API and decodes its reply, unless into is nil.
func (s *serverFlag) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	reply, err := s.fetch(ctx, method, path, query, body)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(reply, into); err != nil {
		return fmt.Errorf("%s does not answer as a Fanfare server would: %w", s.Server, err)
	}
	return nil
}

// fetch makes a request and returns the reply's body.
func (s *serverFlag) fetch(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	base, err := url.Parse(s.Server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("--server is %q, must be a URL such as http://127.0.0.1:8080", s.Server)
	}
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	target := strings.TrimSuffix(s.Server, "/") + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return nil, fmt.Errorf("no answer from %s: %w; is the server running there? --server or FANFARE_SERVER names another", s.Server, err)
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, replyBytesMax))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Server, err)
	}
	if res.StatusCode/100 != 2 {
		return nil, refusal(s.Server, res.StatusCode, reply)
	}
	return reply, nil
}

// refusal is the error that a reply tells of.
func refusal(server string, status int, reply []byte) error {
	var told struct{ Error, Message string }
	if json.Unmarshal(reply, &told) != nil || told.Message == "" {
		return fmt.Errorf("%s answered %d, which a Fanfare server would not; is it the address of the faces?", server, status)
	}
	return errors.New(strings.ToLower(told.Message[:1]) + strings.TrimSuffix(told.Message[1:], "."))
}

// subscriptionAt is the path of a subscription.
func subscriptionAt(topic, subscription string) string {
	return "/v1/topics/" + url.PathEscape(topic) + "/subscriptions/" + url.PathEscape(subscription)
}

// printTable prints rows of columns, the first row being the head.
func printTable(rows [][]string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// printJSONLine prints a value as one line.
func printJSONLine(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

// progress tells how far a command is, on a terminal only. It overwrites its own line.
func progress(format string, args ...any) {
	if isatty.IsTerminal(os.Stderr.Fd()) {
		fmt.Fprintf(os.Stderr, "\r\033[K"+format, args...)
	}
}

// printable makes a text fit for a column of a terminal: what others have sent may be anything.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
