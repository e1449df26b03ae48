package bench

import (
	"testing"
	"time"
)

// With a count the loop ends when that many requests have been begun, long before its time.
func TestPipelinedLoopEndsWithItsCount(t *testing.T) {
	noneLeft(t)
	s, addr := newTestSink(t, SinkOptions{})
	r, err := PushLoop(t.Context(), PushLoopOptions{Target: "http://" + addr + "/x", Conns: 2, Pipeline: 16, Count: 64, Duration: time.Minute})
	if err != nil || r.Pushed != 64 || r.Errors != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := s.Requests(); got != 64+2 { // each connection begins with one that tells it the length of an answer
		t.Errorf("the sink had %d requests", got)
	}
}
