package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"fanfare/egress/pipeline"
)

// Why a push failed before it was answered.
var (
	ErrAddressForbidden = errors.New("egress: pushes to this address are forbidden")
	ErrTLS              = errors.New("egress: TLS")
	ErrSurplus          = errors.New("egress: the endpoint sent more than it was asked for")
)

// phase is what an attempt was doing when it failed.
type phase uint8

const (
	connecting phase = iota
	writing
	answering
)

// late are the words for an attempt that ran out of time.
var late = [...]string{connecting: "connect timed out", writing: "write timed out", answering: "no answer in time"}

// failures are the words an operator reads for what ended an attempt. The first that fits is taken.
var failures = []struct {
	is   func(error) bool
	text string
}{
	{isError(ErrAddressForbidden), "address forbidden"},
	{isDNS(func(e *net.DNSError) bool { return e.IsNotFound }), "no such host"},
	{isDNS(func(e *net.DNSError) bool { return e.IsTimeout }), "name look-up timed out"},
	{isDNS(func(*net.DNSError) bool { return true }), "name look-up failed"},
	{is[x509.HostnameError], "TLS: certificate is for another name"},
	{is[x509.UnknownAuthorityError], "TLS: certificate is signed by an unknown authority"},
	{isExpired, "TLS: certificate has expired or is not valid yet"},
	{is[*tls.CertificateVerificationError], "TLS: certificate is not valid"},
	{is[tls.RecordHeaderError], "TLS: the endpoint does not speak it"},
	{isAlert, "TLS: refused by the endpoint"},
	{all(isError(ErrTLS), isTimeout), "TLS: handshake timed out"},
	{isError(ErrTLS), "TLS: handshake failed"},
	{isError(syscall.ECONNREFUSED), "connection refused"},
	{isError(syscall.EHOSTUNREACH), "host unreachable"},
	{isError(syscall.ENETUNREACH), "network unreachable"},
	{isError(syscall.EMFILE), "too many open files"},
	{isError(syscall.EADDRNOTAVAIL), "no local port is free"},
	{isError(syscall.ECONNRESET), "connection reset"},
	{isError(syscall.EPIPE), "connection reset"},
	{isError(pipeline.ErrAnswerTooLarge), "answer too large"},
	{isError(pipeline.ErrHeadTooLarge), "answer too large: a line of its head"},
	{isError(pipeline.ErrInformational), "answer malformed: too many 1xx"},
	{isError(pipeline.ErrMalformed), "answer malformed"},
	{isError(ErrSurplus), "answer malformed: more answers than requests"},
	{isError(io.ErrUnexpectedEOF), "connection closed before the end of the answer"},
	{isError(io.EOF), "connection closed before the end of the answer"},
}

// failureText says why an attempt failed, in words.
func failureText(at phase, err error) string {
	for _, f := range failures {
		if f.is(err) {
			return f.text
		}
	}
	if isTimeout(err) {
		return late[at]
	}
	return err.Error()
}

func isError(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func isDNS(ok func(*net.DNSError) bool) func(error) bool {
	return func(err error) bool {
		var e *net.DNSError
		return errors.As(err, &e) && ok(e)
	}
}

func isExpired(err error) bool {
	var e x509.CertificateInvalidError
	return errors.As(err, &e) && e.Reason == x509.Expired
}

// isAlert finds what the other end of TLS has to say; its type is the library's own.
func isAlert(err error) bool {
	var e *net.OpError
	return errors.As(err, &e) && e.Op == "remote error"
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &e) && e.Timeout()
}

func all(a, b func(error) bool) func(error) bool {
	return func(err error) bool { return a(err) && b(err) }
}
