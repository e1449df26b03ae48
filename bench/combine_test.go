package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReportsOfOneMachineAreCombined(t *testing.T) {
	machine := Machine{CPU: "a", Cores: 2}
	whole := &Report{Machine: machine, Commit: "old", Command: "suite", Runs: 5, Rows: []Row{
		{Group: groupPublish, Name: "publish"}, {Group: groupQueues, Name: "an old row"},
	}}
	part := &Report{Machine: machine, Commit: "new", Command: "suite --rows queues", Runs: 3, Duration: time.Second, Rows: []Row{
		{Group: groupQueues, Name: "send"}, {Group: groupQueues, Name: "receive"},
	}}
	if err := whole.Add(part); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range whole.Rows {
		names = append(names, r.Name)
	}
	if diff := cmp.Diff([]string{"publish", "send", "receive"}, names); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	var page bytes.Buffer
	if err := WriteReport(&page, whole, Page{}); err != nil {
		t.Fatal(err)
	}
	if want := "Measured by themselves: Queues (3 of 1s for each side, commit new,"; !strings.Contains(page.String(), want) {
		t.Errorf("the page does not say %q", want)
	}
	if err := whole.Add(&Report{Machine: Machine{CPU: "b"}}); err == nil {
		t.Error("reports of two machines were combined")
	}
}
