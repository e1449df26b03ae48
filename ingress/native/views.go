package native

import (
	"time"

	"fanfare/engine"
)

// subscriptionView is what is told of a subscription: its settings and what goes with them.
type subscriptionView struct {
	Name              string      `json:"name"`
	Topic             string      `json:"topic"`
	Kind              string      `json:"kind"`
	Endpoint          string      `json:"endpoint"`
	Envelope          string      `json:"envelope"`
	MaxInFlight       int         `json:"max_in_flight"`
	Pipeline          int         `json:"pipeline"`
	MaxPerSecond      int         `json:"max_per_second,omitempty"`
	Ordered           bool        `json:"ordered,omitempty"`
	FilterTag         string      `json:"filter_tag,omitempty"`
	FilterPolicy      string      `json:"filter_policy,omitempty"`
	FilterPolicyScope string      `json:"filter_policy_scope,omitempty"`
	Retry             retryView   `json:"retry"`
	Answers           answersView `json:"answers,omitzero"`
	DeadLetters       placeView   `json:"dead_letters,omitzero"`
	Pending           bool        `json:"pending,omitempty"`
	Declared          bool        `json:"declared,omitempty"`
	CreatedAt         time.Time   `json:"created_at"`
	UpdatedAt         time.Time   `json:"updated_at"`
	State             *stateView  `json:"state,omitempty"`
}

type retryView struct {
	Backoff          string   `json:"backoff,omitempty"`
	Jitter           string   `json:"jitter,omitempty"`
	MinDelay         string   `json:"min_delay"`
	MaxDelay         string   `json:"max_delay"`
	Delays           []string `json:"delays,omitempty"`
	Immediate        int      `json:"immediate,omitempty"`
	AtMinDelay       int      `json:"at_min_delay,omitempty"`
	AtMaxDelay       int      `json:"at_max_delay,omitempty"`
	MaxAttempts      int      `json:"max_attempts"`
	MaxAge           string   `json:"max_age"`
	Timeout          string   `json:"timeout,omitempty"`
	IgnoreRetryAfter bool     `json:"ignore_retry_after,omitempty"`
}

type answersView struct {
	Accept []string `json:"accept,omitempty"`
	Retry  []string `json:"retry,omitempty"`
	Final  []string `json:"final,omitempty"`
}

// IsZero reports whether there is nothing to show.
func (v answersView) IsZero() bool { return len(v.Accept)+len(v.Retry)+len(v.Final) == 0 }

type placeView struct {
	Topic string `json:"topic,omitempty"`
	Queue string `json:"queue,omitempty"`
}

// stateView is what a subscription's lane is doing.
type stateView struct {
	State       string     `json:"state"`
	Floor       uint64     `json:"floor"`
	Next        uint64     `json:"next"`
	High        uint64     `json:"high"`
	LagMessages uint64     `json:"lag_messages"`
	LagSeconds  float64    `json:"lag_seconds"`
	InFlight    int        `json:"in_flight"`
	Connections int        `json:"connections"`
	Failures    int        `json:"failures"`
	LastFailure string     `json:"last_failure,omitempty"`
	FailedAt    *time.Time `json:"failed_at,omitempty"`
	NextProbe   *time.Time `json:"next_probe,omitempty"`
	Groups      int        `json:"resting_groups,omitempty"`
	Pipelined   *bool      `json:"pipelined,omitempty"` // false when the endpoint does not keep up with it, else left out
}

func viewSubscription(s *engine.Subscription) subscriptionView {
	return viewConfig(s.Config(), s.Topic.Name())
}

// viewLane is viewSubscription with what the lane is doing.
func viewLane(s *engine.Subscription) subscriptionView {
	view := viewSubscription(s)
	state := viewState(s.Receiver().State())
	view.State = &state
	return view
}

func viewConfig(c *engine.SubscriptionConfig, topic string) subscriptionView {
	return subscriptionView{
		Name: c.Name, Topic: topic, Kind: c.Kind, Endpoint: c.Endpoint, Envelope: c.Envelope,
		MaxInFlight: c.MaxInFlight, Pipeline: c.Pipeline, MaxPerSecond: c.MaxPerSecond, Ordered: c.Ordered, FilterTag: c.FilterTag,
		FilterPolicy: c.FilterPolicy, FilterPolicyScope: c.FilterPolicyScope,
		Retry:       viewRetry(&c.Retry),
		Answers:     answersView(c.Answers),
		DeadLetters: placeView(c.DeadLetters),
		Pending:     c.Pending, Declared: c.Declared,
		CreatedAt: time.UnixMilli(c.CreatedAt).UTC(),
		UpdatedAt: time.UnixMilli(c.UpdatedAt).UTC(),
	}
}

func viewRetry(p *engine.RetryPolicy) retryView {
	view := retryView{
		Backoff: string(p.Backoff), Jitter: string(p.Jitter),
		MinDelay: p.MinDelay.String(), MaxDelay: p.MaxDelay.String(),
		Immediate: p.Immediate, AtMinDelay: p.AtMinDelay, AtMaxDelay: p.AtMaxDelay,
		MaxAttempts: p.MaxAttempts, MaxAge: p.MaxAge.String(), IgnoreRetryAfter: p.Deaf,
	}
	for _, d := range p.Delays {
		view.Delays = append(view.Delays, d.String())
	}
	if p.Timeout != 0 {
		view.Timeout = p.Timeout.String()
	}
	return view
}

func viewState(s engine.LaneState) stateView {
	view := stateView{
		State: s.State, Floor: uint64(s.Floor), Next: uint64(s.Next), High: uint64(s.High),
		LagMessages: s.Lag, LagSeconds: s.LagTime.Truncate(time.Millisecond).Seconds(),
		InFlight: s.InFlight, Connections: s.Connections, Failures: s.Failures, LastFailure: s.LastFailure,
		FailedAt: viewTime(s.FailedAt), NextProbe: viewTime(s.Probe), Groups: s.Groups,
	}
	if s.Shallow {
		view.Pipelined = new(bool)
	}
	return view
}

// viewTime leaves a zero time out.
func viewTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC().Truncate(time.Millisecond)
	return &at
}

// viewMillis is a time in ms since 1970; 0 is left out.
func viewMillis(ms int64) *string {
	if ms == 0 {
		return nil
	}
	text := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
	return &text
}
