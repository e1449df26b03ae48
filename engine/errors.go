package engine

import "errors"

// What the engine answers; every face maps each of them to its own code in its codes.go.
var (
	ErrTopicNotFound        = errors.New("engine: topic does not exist")
	ErrTopicExists          = errors.New("engine: topic exists with different attributes")
	ErrSubscriptionNotFound = errors.New("engine: subscription does not exist")
	ErrSubscriptionExists   = errors.New("engine: subscription exists with different attributes")
	ErrTokenInvalid         = errors.New("engine: confirmation token is invalid")
	ErrTopicLimit           = errors.New("engine: there are as many topics as there may be")
	ErrSubscriptionLimit    = errors.New("engine: there are as many subscriptions as there may be")
	ErrInvalid              = errors.New("engine: invalid argument")
	ErrHeldNotFound         = errors.New("engine: no held message has this handle")
	ErrBusy                 = errors.New("engine: too many publishes are waiting, try again")
	ErrUnavailable          = errors.New("engine: the store does not accept messages now")
	ErrClosed               = errors.New("engine: closed")
)

// Sentinels lists the errors above, for the tests that walk them through every face.
func Sentinels() []error {
	return []error{
		ErrTopicNotFound, ErrTopicExists, ErrSubscriptionNotFound, ErrSubscriptionExists, ErrTokenInvalid,
		ErrTopicLimit, ErrSubscriptionLimit, ErrInvalid, ErrHeldNotFound, ErrBusy, ErrUnavailable, ErrClosed,
	}
}

// What queues answer; only faces that have queues meet them.
var (
	ErrQueueNotFound  = errors.New("engine: queue does not exist")
	ErrQueueLimit     = errors.New("engine: there are as many queues as there may be")
	ErrReceiptInvalid = errors.New("engine: the receipt is not one of the queue's")
	ErrReceiptExpired = errors.New("engine: the receipt is not the message's last, or its time is over")
	ErrNotInFlight    = errors.New("engine: the message is not in flight")
	ErrInFlightLimit  = errors.New("engine: as many messages of the queue are in flight as may be")
	ErrReceiverLimit  = errors.New("engine: as many receivers wait as may")
)

// QueueSentinels lists the errors that only queues answer, for the tests that walk them through their faces.
func QueueSentinels() []error {
	return []error{ErrQueueNotFound, ErrQueueLimit, ErrReceiptInvalid, ErrReceiptExpired, ErrNotInFlight, ErrInFlightLimit, ErrReceiverLimit}
}
