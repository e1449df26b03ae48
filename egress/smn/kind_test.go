package smn_test

import (
	"testing"

	"fanfare/egress/kindtest"
	"fanfare/egress/smn"
)

func TestConformance(t *testing.T) {
	kindtest.Run(t, kindtest.Suite{Kind: smn.New(smn.Options{PublicURL: "http://127.0.0.1:8080"}), Envelopes: []string{"json"}})
}
