package sns_test

import (
	"testing"

	"fanfare/egress/kindtest"
	"fanfare/egress/sns"
)

func TestConformance(t *testing.T) {
	kindtest.Run(t, kindtest.Suite{Kind: sns.New(sns.Options{PublicURL: "http://127.0.0.1:8080"}), Envelopes: []string{"json", "raw"}})
}
