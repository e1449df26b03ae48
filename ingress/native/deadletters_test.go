package native

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/ingress/facetest"
)

const lettersPath = "/v1/topics/orders/subscriptions/billing/deadletters"

// newLetters is a client of a face whose subscription has dead letters: 1 and 2 were refused, 3 ran out of
// attempts, 4 is damaged.
func newLetters(t *testing.T) (*client, *engine.Engine, *engine.Subscription) {
	e := facetest.NewEngine(t, nil, &facetest.Recorder{})
	c := &client{t, New(e, Options{})}
	c.do("PUT", "/v1/topics/orders", "")
	c.do("PUT", "/v1/topics/orders/subscriptions/billing", `{"endpoint":"http://127.0.0.1:9000/"}`)
	s := e.Topic([]byte("orders")).Subscription("billing")
	b := e.Store().NewBatch()
	for i, d := range []engine.DeadLetter{
		{At: 1000, Attempts: 1, Status: 410, Reason: engine.ReasonRefused, Failure: "status 410", Answer: []byte("gone")},
		{At: 2000, Attempts: 1, Status: 400, Reason: engine.ReasonRefused, Failure: "status 400", Answer: []byte("\xff\x00")},
		{At: 3000, Attempts: 7, Reason: engine.ReasonAttempts, Failure: "connection refused"},
	} {
		m := engine.NewMessage()
		m.SetPublishedAt(int64(i + 1))
		m.SetID(engine.MessageID{15: byte(i)})
		m.Set(engine.FieldSubject, []byte("subject"))
		m.Set(engine.FieldContentType, []byte("text/html"))
		m.AddAttribute([]byte("n"), []byte("String"), []byte("v"), false)
		m.AddAttribute([]byte("b"), []byte("Binary"), []byte{0xff}, true)
		m.Set(engine.FieldBody, []byte{'<', 0xfe, byte('0' + i)})
		if err := e.Publish(s.Topic, m); err != nil {
			t.Fatal(err)
		}
		b.PutDeadLetter(s.ID, engine.Sequence(i+1), engine.AppendDeadLetterHead(nil, &d), m.Record())
		m.Release()
	}
	b.PutDeadLetter(s.ID, 4, []byte("torn"), nil)
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	return c, e, s
}

// sequences lists what is there.
func (c *client) sequences(query string) string {
	c.t.Helper()
	status, body := c.do("GET", lettersPath+query, "")
	var list struct {
		DeadLetters []struct{ Sequence uint64 } `json:"dead_letters"`
		Next        uint64
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 {
		c.t.Fatalf("%s: %d %s %v", query, status, body, err)
	}
	got := ""
	for _, d := range list.DeadLetters {
		got += fmt.Sprintf("%d ", d.Sequence)
	}
	if list.Next != 0 {
		got += fmt.Sprintf("next %d", list.Next)
	}
	return strings.TrimSpace(got)
}

func TestListDeadLetters(t *testing.T) {
	c, _, _ := newLetters(t)
	f := func(query, want string) {
		t.Helper()
		if got := c.sequences(query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	f("", "1 2 3 4")
	f("?limit=2", "1 2 next 2")
	f("?limit=2&after=2", "3 4")
	f("?limit=4", "1 2 3 4")
	f("?reason=refused", "1 2")
	f("?reason=refused&limit=2", "1 2")
	f("?reason=max_attempts", "3")
	f("?status=410", "1")
	f("?since=1970-01-01T00:00:02Z", "2 3")
	f("?until=1970-01-01T00:00:02Z", "1")
	f("?since=1970-01-01T01:00:02%2B01:00&until=1970-01-01T00:00:03Z", "2")
	f("?after=18446744073709551615", "")
	c.want("GET", lettersPath+"?limit=1", "", 200, `{"next":1,"dead_letters":[{"sequence":1,"id":"00000000-0000-0000-0000-000000000000",
		"reason":"refused","status":410,"attempts":1,"failure":"status 410","ended_at":"T","published_at":"T","body_bytes":3}]}`)
	c.want("GET", lettersPath+"?after=3", "", 200, `{"dead_letters":[{"sequence":4,"body_bytes":0,"damaged":true}]}`)
	for _, bad := range []string{
		"limit=0", "limit=1001", "after=x", "after=-1", "status=0", "status=x", "reason=bored", "since=yesterday", "until=1969-01-01T00:00:00Z",
		"since=9999-01-01T00:00:00Z", "all=true", "limit=1&limit=2", "%zz=1",
	} {
		if status, body := c.do("GET", lettersPath+"?"+bad, ""); status != 400 || !strings.Contains(body, "invalid_query") {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	c.want("GET", "/v1/topics/orders/subscriptions/nobody/deadletters", "", 404, `{"error":"subscription_not_found","message":"The subscription does not exist."}`)
	c.want("GET", "/v1/topics/nothing/subscriptions/nobody/deadletters", "", 404, `{"error":"topic_not_found","message":"The topic does not exist."}`)
	if status, _ := c.do("PUT", lettersPath, ""); status != 405 {
		t.Errorf("PUT: %d", status)
	}
}

func TestGetDeadLetter(t *testing.T) {
	c, _, _ := newLetters(t)
	body := base64.StdEncoding.EncodeToString([]byte("<\xfe0"))
	c.want("GET", lettersPath+"/1", "", 200, `{"sequence":1,"id":"00000000-0000-0000-0000-000000000000",
		"reason":"refused","status":410,"attempts":1,"failure":"status 410","ended_at":"T","published_at":"T","body_bytes":3,
		"answer":"gone","origin":"native","subject":"subject","content_type":"text/html","body":"`+body+`",
		"attributes":[{"name":"n","type":"String","value":"v"},{"name":"b","type":"Binary","value_base64":"/w=="}]}`)
	if _, got := c.do("GET", lettersPath+"/2", ""); !strings.Contains(got, `"answer_base64":"/wA="`) {
		t.Errorf("an answer that is no text: %s", got)
	}
	c.want("GET", lettersPath+"/4", "", 200, `{"sequence":4,"body_bytes":0,"damaged":true,"body":""}`)
	none := `{"error":"dead_letter_not_found","message":"The subscription has no dead letter of this sequence."}`
	for _, path := range []string{"/5", "/0", "/x", "/-1", "/99999999999999999999"} {
		c.want("GET", lettersPath+path, "", 404, none)
		c.want("DELETE", lettersPath+path, "", 404, none)
	}
	reply := string(facetest.Do(t, c.face, []byte("GET "+lettersPath+"/1?raw=true HTTP/1.1\r\nHost: h\r\n\r\n")))
	for _, part := range []string{"HTTP/1.1 200 OK", "Content-Type: application/octet-stream", "Content-Disposition: attachment", "nosniff", "\r\n\r\n<\xfe0"} {
		if !strings.Contains(reply, part) {
			t.Errorf("raw: %q is missing in %q", part, reply)
		}
	}
	c.want("GET", lettersPath+"/4?raw=true", "", 500, `{"error":"damaged","message":"The dead letter cannot be read; it stays where it is."}`)
	c.want("GET", lettersPath+"/1?raw=1", "", 400, `{"error":"invalid_query","message":"raw must be true or false."}`)
}

func TestPurgeDeadLetters(t *testing.T) {
	c, _, _ := newLetters(t)
	c.want("DELETE", lettersPath, "", 400, `{"error":"invalid_query","message":"Say which dead letters are to be dropped, or all=true."}`)
	c.want("DELETE", lettersPath+"?all=false", "", 400, `{"error":"invalid_query","message":"Say which dead letters are to be dropped, or all=true."}`)
	if got := c.sequences(""); got != "1 2 3 4" {
		t.Fatalf("a refused purge left %s", got)
	}
	c.want("DELETE", lettersPath+"?reason=max_attempts", "", 200, `{"purged":1}`)
	c.want("DELETE", lettersPath+"?reason=refused&limit=1", "", 200, `{"purged":1,"next":1}`)
	c.want("DELETE", lettersPath+"/2", "", 204, "")
	if got := c.sequences(""); got != "4" {
		t.Errorf("left: %s", got)
	}
	c.want("DELETE", lettersPath+"?all=true&limit=1", "", 200, `{"purged":1}`)
	c.want("DELETE", lettersPath+"?all=true", "", 200, `{"purged":0}`)
}

func TestReplayDeadLetters(t *testing.T) {
	c, e, _ := newLetters(t)
	at := lettersPath + "/replay"
	c.want("POST", at, `{"sequences":[1,17]}`, 200, `{"replayed":1}`)
	c.want("POST", at, `{"sequences":[1]}`, 200, `{"replayed":0}`)
	c.want("POST", at, `{"limit":1,"rate":0.5}`, 200, `{"replayed":1,"next":2}`)
	if got := c.sequences(""); got != "3 4" {
		t.Errorf("left: %s", got)
	}
	c.want("POST", at, `{"reason":"max_attempts","until":"1970-01-01T00:00:03Z"}`, 200, `{"replayed":0}`)
	c.want("POST", at, `{}`, 200, `{"replayed":1}`)
	if got := c.sequences(""); got != "4" {
		t.Errorf("the damaged one has to stay: %s", got)
	}
	entries := 0
	err := e.Store().ReadTimers(engine.TimerKey{}, engine.TimerKeyMax, func(engine.TimerKey) bool {
		entries++
		return true
	})
	if err != nil || entries != 3 {
		t.Errorf("%d deliveries are scheduled, want 3 (%v)", entries, err)
	}
	for _, bad := range []string{
		``, `[]`, `{"sequences":[]}`, `{"sequences":[0]}`, `{"sequences":[null]}`, `{"sequences":[1],"limit":1}`, `{"sequences":[1],"reason":"refused"}`,
		`{"limit":0}`, `{"limit":10001}`, `{"rate":0}`, `{"rate":1e7}`, `{"rate":null}`, `{"rate":"1"}`, `{"reason":"bored"}`, `{"since":1}`, `{"until":"soon"}`,
		`{"status":0}`, `{"after":-1}`, `{"after":null}`, `{"all":true}`, `{"sequences":[1],"rate":1e-9}`,
		`{"sequences":[` + strings.Repeat("1,", sequencesMax) + `1]}`,
	} {
		if status, body := c.do("POST", at, bad); status != 400 || !strings.Contains(body, "invalid_body") {
			t.Errorf("%.80s: %d %s", bad, status, body)
		}
	}
	if status, _ := c.do("GET", at, ""); status != 405 {
		t.Errorf("GET: %d", status)
	}
}

func TestRewind(t *testing.T) {
	c, _, _ := newLetters(t) // three messages; the recorder goes where it is told to
	const at = "/v1/topics/orders/subscriptions/billing/replay"
	f := func(body string, want int) {
		t.Helper()
		c.want("POST", at, body, 200, fmt.Sprintf(`{"sequence":%d}`, want))
	}
	f(`{"sequence":2}`, 2)
	f(`{"sequence":0}`, 0)
	f(`{"from":"earliest"}`, 1)
	f(`{"from":"latest"}`, 4)
	f(`{"time":"1970-01-01T00:00:00Z"}`, 1)
	f(fmt.Sprintf(`{"time":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)), 4)
	f(`{"age":"1ms"}`, 4) // the messages say that they were published in 1970
	for _, bad := range []string{
		``, `{}`, `{"sequence":1,"age":"1h"}`, `{"sequence":-1}`, `{"sequence":"1"}`, `{"sequence":null}`, `{"time":"now"}`, `{"age":"0s"}`, `{"age":60}`,
		`{"from":"middle"}`, `{"from":null}`, `{"to":1}`, `{"sequence":1,"sequence":1}`,
	} {
		if status, body := c.do("POST", at, bad); status != 400 || !strings.Contains(body, "invalid_body") {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
}

func TestStateView(t *testing.T) {
	at := time.UnixMilli(1000)
	view, err := json.Marshal(viewState(engine.LaneState{
		State: "paused", Floor: 1, Next: 2, High: 3, Lag: 4, LagTime: 1500 * time.Millisecond, InFlight: 5, Connections: 6,
		Failures: 7, LastFailure: "x", FailedAt: at, Probe: at, Groups: 8, Shallow: true,
	}))
	want := `{"state":"paused","floor":1,"next":2,"high":3,"lag_messages":4,"lag_seconds":1.5,"in_flight":5,"connections":6,"failures":7,` +
		`"last_failure":"x","failed_at":"1970-01-01T00:00:01Z","next_probe":"1970-01-01T00:00:01Z","resting_groups":8,"pipelined":false}`
	if err != nil || string(view) != want {
		t.Errorf("got %s, %v\nwant %s", view, err, want)
	}
}

// FuzzNativeBodies checks the bodies of the replays and of a topic: what is accepted is JSON, and within its bounds.
func FuzzNativeBodies(f *testing.F) {
	for _, seed := range []string{
		`{"sequences":[1,2,18446744073709551615],"rate":2.5}`, `{"after":7,"reason":"refused","status":410,"limit":10000,"rate":1e6}`,
		`{"since":"2026-01-31T12:00:00Z","until":"2026-01-31T12:00:00.5+01:00"}`, `{"sequence":12}`, `{"time":"2262-01-01T00:00:00Z"}`,
		`{"age":"1h30m"}`, `{"from":"earliest"}`, `{"retention":{"age":"24h","bytes":"1GiB"}}`, `{"retention":{"bytes":1073741824}}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		replay, err1 := parseReplay(body)
		rewind, err2 := parseRewind(body)
		topic, err3 := parseTopic(body)
		if (err1 == nil || err2 == nil || err3 == nil && len(body) > 0) && !json.Valid(body) {
			t.Fatalf("%q is not JSON and was accepted", body)
		}
		if err1 == nil && (replay.limit < 1 || replay.limit > consumeMax || len(replay.sequences) > sequencesMax || math.IsNaN(replay.rate) ||
			replay.rate < 0 || replay.rate > rateMax || replay.filter.Since < 0 || replay.filter.Until < 0) {
			t.Fatalf("%q: %+v", body, replay)
		}
		if err2 == nil && (rewind.given != 1 || rewind.age < 0) {
			t.Fatalf("%q: %+v", body, rewind)
		}
		if err3 == nil && topic.retention != nil && (topic.retention.Age < 0 || topic.retention.Bytes < 0) {
			t.Fatalf("%q: %+v", body, topic.retention)
		}
	})
}

// FuzzNativeLetterQuery checks the query of lists and purges.
func FuzzNativeLetterQuery(f *testing.F) {
	f.Add([]byte("after=3&limit=7&reason=refused&status=503&since=2026-01-31T12:00:00Z&until=2026-02-01T12%3A00%3A00%2B01:00"))
	f.Add([]byte("status=999&limit=10000"))
	f.Fuzz(func(t *testing.T, query []byte) {
		q := letterQuery{limit: pageDefault}
		if walkQuery(query, func(key, value string) error { return q.read(key, value, consumeMax) }) != nil {
			return
		}
		if _, err := url.ParseQuery(string(query)); err != nil && !strings.Contains(err.Error(), "semicolon") {
			t.Fatalf("%q was accepted: %v", query, err)
		}
		if q.limit < 1 || q.limit > consumeMax || q.filter.Status < 0 || q.filter.Since < 0 || q.filter.Until < 0 {
			t.Fatalf("%q: %+v", query, q)
		}
	})
}
