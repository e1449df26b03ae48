package mail

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	pushBytesMax = 8 << 20
	sendTimeout  = 12 * time.Second // less than the kind waits for an answer
)

// Options of a Gateway.
type Options struct {
	Server      string        // SMTP server, host:port; required
	From        string        // address in From and as the sender; required
	Username    string        // with Password; default: nobody asks
	Password    string        //
	RequireTLS  bool          // nothing is sent when the server does not offer STARTTLS
	Connections int           // to the server at once; default 8, 1 to 1000
	Timeout     time.Duration // of one mail; default 12 s

	Log zerolog.Logger // silent by default
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	if host, port, err := net.SplitHostPort(o.Server); err != nil || host == "" || port == "" {
		faults = append(faults, errors.New("mail: Server must be host:port"))
	}
	if a, err := netmail.ParseAddress(o.From); err != nil || strings.ContainsAny(o.From, "\r\n") || strings.ContainsAny(a.Address, "\r\n") {
		faults = append(faults, errors.New("mail: From must be a mail address"))
	}
	if (o.Username == "") != (o.Password == "") {
		faults = append(faults, errors.New("mail: Username and Password belong together"))
	}
	if o.Connections < 0 || o.Connections > 1000 {
		faults = append(faults, errors.New("mail: Connections must be between 1 and 1000"))
	}
	return errors.Join(faults...)
}

// Gateway takes pushes and sends mail.
type Gateway struct {
	opts    Options
	path    string
	listen  net.Listener
	server  http.Server
	slots   chan struct{} // one for each connection that may be open
	running sync.WaitGroup
}

// New starts a gateway on the loopback interface.
func New(opts Options) (*Gateway, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if opts.Connections == 0 {
		opts.Connections = 8
	}
	if opts.Timeout == 0 {
		opts.Timeout = sendTimeout
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &Gateway{opts: opts, path: "/" + rand.Text(), listen: ln, slots: make(chan struct{}, opts.Connections)}
	g.server = http.Server{Handler: http.HandlerFunc(g.serve), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	g.running.Go(func() {
		if err := g.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			g.opts.Log.Error().Err(err).Msg("the gateway for mail ended")
		}
	})
	return g, nil
}

// URL is where the pushes go.
func (g *Gateway) URL() string { return "http://" + g.listen.Addr().String() + g.path }

// Close ends the gateway. What is being sent is given until the context ends.
func (g *Gateway) Close(ctx context.Context) error {
	err := g.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, g.server.Close())
	}
	g.running.Wait()
	return err
}

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != g.path {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, pushBytesMax))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var p push
	if err := json.Unmarshal(body, &p); err != nil || !isAddress(p.Destination) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.opts.Timeout)
	defer cancel()
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if err := g.send(ctx, p.Destination, p.compose(g.opts.From, body)); err != nil {
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func isAddress(text string) bool {
	a, err := netmail.ParseAddress(text)
	return err == nil && a.Address == text && !strings.ContainsAny(text, "\r\n")
}

// refusal is an answer of the SMTP server that is about the recipient or the text.
type refusal struct{ err error }

func (r *refusal) Error() string { return "mail: refused: " + r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// statusOf tells what is final from what is worth another try.
func statusOf(err error) int {
	var r *refusal
	var answer *textproto.Error
	if errors.As(err, &r) && errors.As(err, &answer) && answer.Code >= 500 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusServiceUnavailable
}
