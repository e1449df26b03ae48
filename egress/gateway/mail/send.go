package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/smtp"
)

var errNoTLS = errors.New("mail: the server does not offer STARTTLS")

// send hands one mail to the SMTP server. It is taken over when send returns nil.
func (g *Gateway) send(ctx context.Context, to string, text []byte) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", g.opts.Server)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("mail: %w", err)
		}
	}
	host, _, _ := net.SplitHostPort(g.opts.Server) // was checked
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := g.introduce(c, host); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := c.Rcpt(to); err != nil {
		return &refusal{err}
	}
	w, err := c.Data()
	if err != nil {
		return &refusal{err}
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return &refusal{err}
	}
	_ = c.Quit() // the mail is taken over, whatever is answered
	return nil
}

// introduce says who sends, over TLS where that can be had.
func (g *Gateway) introduce(c *smtp.Client, host string) error {
	if offered, _ := c.Extension("STARTTLS"); offered {
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	} else if g.opts.RequireTLS {
		return errNoTLS
	}
	if g.opts.Username != "" {
		if err := c.Auth(smtp.PlainAuth("", g.opts.Username, g.opts.Password, host)); err != nil {
			return err
		}
	}
	from, err := netmail.ParseAddress(g.opts.From)
	if err != nil {
		return err
	}
	return c.Mail(from.Address)
}
