package main

import (
	"fmt"
	"os"
	"strings"

	"fanfare/egress/gateway/mail"
	"fanfare/ingress/sns"

	"github.com/rs/zerolog"
)

// gatewaysConfig says where that is pushed to what is not reached over HTTP. The JSON that a gateway gets is described in
// egress/gateway.
type gatewaysConfig struct {
	Application string      `yaml:"application,omitempty"` // URL: mobile push
	SMS         string      `yaml:"sms,omitempty"`         // URL: text messages
	Email       emailConfig `yaml:"email,omitempty"`
}

// emailConfig is the SMTP server that mail is sent with. Without one, mail is refused.
type emailConfig struct {
	Server       string `yaml:"server,omitempty"`        // host:port
	From         string `yaml:"from,omitempty"`          // address
	Username     string `yaml:"username,omitempty"`      // of an account of the server
	PasswordFile string `yaml:"password_file,omitempty"` // whose first line is the password
	RequireTLS   bool   `yaml:"require_tls,omitempty"`   // nothing is sent in the clear
}

// mailEndpoint stands in subscriptions for the gateway for mail, whose URL is another one after every start. Nothing is
// there: what is left over when the gateway was taken out of the configuration goes nowhere else.
const mailEndpoint = "http://mail.invalid/"

// face is what the face "sns" is told of the gateways.
func (g *gatewaysConfig) face() sns.Gateways {
	gateways := sns.Gateways{Application: g.Application, SMS: g.SMS}
	if g.Email.Server != "" {
		gateways.Email = mailEndpoint
	}
	return gateways
}

func (e *emailConfig) options(log zerolog.Logger) mail.Options {
	return mail.Options{Server: e.Server, From: e.From, Username: e.Username, RequireTLS: e.RequireTLS, Log: log}
}

// validate checks what is set. The password is read when the gateway starts.
func (e *emailConfig) validate(fault func(key, format string, args ...any)) {
	if *e == (emailConfig{}) {
		return
	}
	if (e.Username == "") != (e.PasswordFile == "") {
		fault("sns.gateways.email", "username and password_file belong together")
	}
	o := e.options(zerolog.Nop())
	o.Username = ""
	if err := o.Validate(); err != nil {
		fault("sns.gateways.email", "%v", err)
	}
}

// openMail starts the gateway for mail, nil when there is no server to send it with.
func (e *emailConfig) openMail(log zerolog.Logger) (*mail.Gateway, error) {
	if e.Server == "" {
		return nil, nil
	}
	o := e.options(log)
	if e.PasswordFile != "" {
		text, err := os.ReadFile(e.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("sns.gateways.email.password_file: %w", err)
		}
		o.Password, _, _ = strings.Cut(string(text), "\n")
		o.Password = strings.TrimRight(o.Password, "\r")
	}
	return mail.New(o)
}
