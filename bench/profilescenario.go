package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ProfileScenario is work for a real server, as data: what it is asked to do while it is looked into.
type ProfileScenario struct {
	Name       string   `json:"name"`
	About      string   `json:"about"`
	Durability string   `json:"durability"`
	Faces      []string `json:"faces"`     // published through side by side, one load generator each
	Conns      int      `json:"conns"`     // of all load generators together
	SizeBytes  int      `json:"size"`      // of a body
	Fanout     int      `json:"fanout"`    // subscriptions of the topic
	Pipeline   int      `json:"pipeline"`  // of each subscription
	InFlight   int      `json:"in_flight"` // of each subscription
	// Delay of the subscriber's answers.
	Delay time.Duration `json:"delay_ns,omitempty"`
	// Share of what the server gets done, which is measured first, that is published by an open loop. 0: a closed
	// loop, as fast as it goes.
	Share float64 `json:"share"`
	// Backlog is how long is published before the subscriptions are there. They are then set back to the beginning
	// as often as they have it all, and nothing is published meanwhile. 0: no such thing.
	Backlog time.Duration `json:"backlog_ns"`
}

// ProfileScenarios are those that Profile captures.
func ProfileScenarios() []ProfileScenario {
	return []ProfileScenario{
		{
			Name: "publish-sync-256", About: "all APIs side by side, 256 connections, saved and synced before the answer",
			Durability: "sync", Faces: Faces, Conns: 256, SizeBytes: 1024,
		},
		{
			Name: "publish-memory-256", About: "all APIs side by side, 256 connections, no store",
			Durability: "memory", Faces: Faces, Conns: 256, SizeBytes: 1024,
		},
		{
			Name: "push-plain-10", About: "10 subscriptions, one request in flight per connection, 60 % of the capacity",
			Durability: "memory", Faces: []string{"native"}, Conns: 32, SizeBytes: 1024, Fanout: 10, Pipeline: 1, InFlight: 64, Share: 0.6,
		},
		{
			Name: "push-pipelined-64", About: "10 subscriptions, 64 requests in flight per connection, 60 % of the capacity",
			Durability: "memory", Faces: []string{"native"}, Conns: 32, SizeBytes: 1024, Fanout: 10, Pipeline: 64, InFlight: 256, Share: 0.6,
		},
		{
			Name: "end-to-end-100", About: "100 subscriptions, saved and synced before the answer, 60 % of the capacity",
			Durability: "sync", Faces: []string{"sns"}, Conns: 8, SizeBytes: 1024, Fanout: 100, Pipeline: 1, InFlight: 64, Share: 0.6,
		},
		{
			Name: "lagging-drain", About: "4 subscriptions that are behind and read the store until they have caught up",
			Durability: "sync", Faces: []string{"native"}, Conns: 64, SizeBytes: 1024, Fanout: 4, Pipeline: 1, InFlight: 64, Backlog: 2 * time.Second,
		},
	}
}

// profileScenarios are those with one of the names, all without any.
func profileScenarios(names []string) ([]ProfileScenario, error) {
	all := ProfileScenarios()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []ProfileScenario
	var wrong []error
	for _, name := range names {
		i := slices.IndexFunc(all, func(sc ProfileScenario) bool { return sc.Name == name })
		if i < 0 {
			wrong = append(wrong, fmt.Errorf("scenario: %q is none of %s", name, strings.Join(scenarioNames(all), ", ")))
			continue
		}
		chosen = append(chosen, all[i])
	}
	return chosen, errors.Join(wrong...)
}

func scenarioNames(all []ProfileScenario) []string {
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return names
}
