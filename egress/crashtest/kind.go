package crashtest

import (
	"net/http"
	"strconv"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// probe is a kind of subscriber that pushes the body with the message's id and sequence beside it.
type probe struct{}

func (probe) Name() string                                { return "probe" }
func (probe) Check(c *engine.SubscriptionConfig) error    { c.Envelope = "raw"; return nil }
func (probe) Timeout() time.Duration                      { return time.Second }
func (probe) Compile(*engine.Subscription) egress.Encoder { return probe{} }

func (probe) Judge(status int) egress.Outcome {
	switch {
	case status/100 == 2:
		return egress.Delivered
	case status == http.StatusGone:
		return egress.Dead
	}
	return egress.Retry
}

func (probe) Body(scratch []byte, m *engine.Message) (body, grown []byte) { return m.Body(), scratch }

func (probe) AppendHeader(dst []byte, m *engine.Message, _ []byte, _ int) []byte {
	id := m.ID()
	dst = append(dst, "Id: "...)
	dst = id.AppendHexLower(dst)
	dst = append(dst, "\r\nSequence: "...)
	dst = strconv.AppendUint(dst, uint64(m.Sequence()), 10)
	return append(dst, "\r\n"...)
}
