package egress

import "errors"

// Why a push failed before it was answered.
var (
	ErrAddressForbidden = errors.New("egress: pushes to this address are forbidden")
	ErrConnectionClosed = errors.New("egress: the endpoint closed the connection before it answered")
)
