package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fanfare/engine"

	"github.com/valyala/fasthttp"
)

// What may be asked of a replay.
const (
	rateMin = 0.001 // per second
	rateMax = 1e6
)

// letterQuery is which dead letters a query chooses, and how many.
type letterQuery struct {
	filter engine.DeadLetterFilter
	limit  int
}

// read reads one parameter.
func (q *letterQuery) read(key, value string, limitMax int) error {
	switch key {
	case "limit":
		return readLimit(value, limitMax, &q.limit)
	case "reason":
		return setReason(&q.filter, value)
	case "after":
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return queryError("after must be a sequence.")
		}
		q.filter.After = engine.Sequence(n)
	case "status":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 999 {
			return queryError("status must be an HTTP status.")
		}
		q.filter.Status = n
	case "since", "until":
		at, ok := parseTime(value)
		if !ok {
			return queryError(fmt.Sprintf("%s must be a time such as %s.", key, timeExample))
		}
		if key == "since" {
			q.filter.Since = at.UnixMilli()
		} else {
			q.filter.Until = at.UnixMilli()
		}
	default:
		return unknownParameter(key)
	}
	return nil
}

var reasons = []string{engine.ReasonExpired, engine.ReasonAge, engine.ReasonAttempts, engine.ReasonRefused}

func setReason(filter *engine.DeadLetterFilter, reason string) error {
	if !slices.Contains(reasons, reason) {
		return queryError(fmt.Sprintf("reason must be one of %q.", reasons))
	}
	filter.Reason = reason
	return nil
}

// replayRequest is the body of a replay of dead letters.
type replayRequest struct {
	sequences    []engine.Sequence // nil: as the filter says
	filter       engine.DeadLetterFilter
	since, until time.Time
	rate         float64
	limit        int
}

var replayKeys = map[string]setting[replayRequest]{
	"sequences": func(r *replayRequest, key string, value []byte) error {
		var list []*engine.Sequence
		if value[0] != '[' || json.Unmarshal(value, &list) != nil || len(list) == 0 || len(list) > sequencesMax || slices.Contains(list, nil) {
			return fmt.Errorf("%s must be a list of 1 to %d sequences", key, sequencesMax)
		}
		for _, seq := range list {
			if *seq == 0 {
				return fmt.Errorf("%s must be a list of sequences from 1", key)
			}
			r.sequences = append(r.sequences, *seq)
		}
		return nil
	},
	"after": sequenceSetting(func(r *replayRequest) *engine.Sequence { return &r.filter.After }),
	"reason": func(r *replayRequest, key string, value []byte) error {
		if textSetting(func(r *replayRequest) *string { return &r.filter.Reason })(r, key, value) != nil || !slices.Contains(reasons, r.filter.Reason) {
			return fmt.Errorf("%s must be one of %q", key, reasons)
		}
		return nil
	},
	"status": numberSetting(1, func(r *replayRequest) *int { return &r.filter.Status }),
	"since":  timeSetting(func(r *replayRequest) *time.Time { return &r.since }),
	"until":  timeSetting(func(r *replayRequest) *time.Time { return &r.until }),
	"limit":  numberSetting(1, func(r *replayRequest) *int { return &r.limit }),
	"rate": func(r *replayRequest, key string, value []byte) error {
		if json.Unmarshal(value, &r.rate) != nil || value[0] == 'n' || !(r.rate >= rateMin && r.rate <= rateMax) {
			return fmt.Errorf("%s must be a number from %v to %v", key, rateMin, rateMax)
		}
		return nil
	},
}

// parseReplay reads the body of a replay of dead letters. "{}" chooses all.
func parseReplay(body []byte) (replayRequest, error) {
	r, err := parseBody(body, replayKeys)
	if err != nil {
		return r, err
	}
	if !r.since.IsZero() {
		r.filter.Since = r.since.UnixMilli()
	}
	if !r.until.IsZero() {
		r.filter.Until = r.until.UnixMilli()
	}
	switch {
	case r.sequences != nil && (r.filter != engine.DeadLetterFilter{} || r.limit != 0):
		return r, &apiError{400, "invalid_body", "sequences cannot be combined with a filter or a limit."}
	case r.limit > consumeMax:
		return r, &apiError{400, "invalid_body", fmt.Sprintf("limit must be between 1 and %d.", consumeMax)}
	case r.limit == 0:
		r.limit = consumeMax
	}
	return r, nil
}

// rewindRequest is the body of a replay of a subscription: exactly one of its fields is given.
type rewindRequest struct {
	given    int
	sequence engine.Sequence
	at       time.Time
	age      time.Duration
	from     string
}

// given counts a key of which one may be there.
func given(read setting[rewindRequest]) setting[rewindRequest] {
	return func(r *rewindRequest, key string, value []byte) error {
		r.given++
		return read(r, key, value)
	}
}

var rewindKeys = map[string]setting[rewindRequest]{
	"sequence": given(sequenceSetting(func(r *rewindRequest) *engine.Sequence { return &r.sequence })),
	"time":     given(timeSetting(func(r *rewindRequest) *time.Time { return &r.at })),
	"age":      given(spanSetting(1, func(r *rewindRequest) *time.Duration { return &r.age })),
	"from": given(func(r *rewindRequest, key string, value []byte) error {
		err := textSetting(func(r *rewindRequest) *string { return &r.from })(r, key, value)
		if err != nil || r.from != "earliest" && r.from != "latest" {
			return errors.New(key + ` must be "earliest" or "latest"`)
		}
		return nil
	}),
}

func parseRewind(body []byte) (rewindRequest, error) {
	r, err := parseBody(body, rewindKeys)
	if err == nil && r.given != 1 {
		err = &apiError{400, "invalid_body", "Exactly one of sequence, time, age and from must be given."}
	}
	return r, err
}

// rewind sets a subscription back, or on, and answers with where it came to.
func (f *Face) rewind(ctx *fasthttp.RequestCtx, s *engine.Subscription) error {
	r, err := parseRewind(ctx.Request.Body())
	if err != nil {
		return err
	}
	to := r.sequence
	switch {
	case r.from == "earliest":
		to = 1
	case r.from == "latest":
		to = s.Topic.High() + 1
	case r.age > 0:
		to, err = f.engine.SequenceAt(s.Topic, time.Now().Add(-r.age))
	case !r.at.IsZero():
		to, err = f.engine.SequenceAt(s.Topic, r.at)
	}
	if err != nil {
		return err
	}
	if to, err = f.engine.Rewind(s, to); err != nil {
		return err
	}
	f.log.Info().Str("topic", s.Topic.Name()).Str("subscription", s.Name()).Uint64("sequence", uint64(to)).Msg("subscription set back or on")
	reply(ctx, fasthttp.StatusOK, struct {
		Sequence uint64 `json:"sequence"`
	}{uint64(to)})
	return nil
}
