package smq_test

import (
	"testing"

	"fanfare/egress/kindtest"
	"fanfare/egress/smq"
)

func TestConformance(t *testing.T) {
	kindtest.Run(t, kindtest.Suite{Kind: smq.New(smq.Options{}), Envelopes: []string{"xml", "json", "simplified"}})
}
