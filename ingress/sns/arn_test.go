package sns

import "testing"

// TestPartitions lets nothing into the name of a topic that could end a header of its pushes.
func TestPartitions(t *testing.T) {
	s := newServer(t, Options{})
	f := func(partition string, ok bool) {
		t.Helper()
		arn := "arn:" + partition + ":sns:us-east-1:000000000000:T1"
		r := s.do("Action", "Subscribe", "TopicArn", arn, "Protocol", "http", "Endpoint", "http://127.0.0.1:9/x")
		if (r.status == 200) != ok {
			t.Errorf("%q: got %s", partition, r.text)
		}
	}
	f("aws", true)
	f("aws-cn", true)
	f("aws-us-gov", true)
	f("aws\r\nInjected", false)
	f("aws ", false)
	f("awsome", false)
	f("AWS", false)
	f("", false)
}
