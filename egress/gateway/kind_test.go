package gateway_test

import (
	"testing"

	"fanfare/egress/gateway"
	"fanfare/egress/kindtest"
)

func TestConformance(t *testing.T) {
	kindtest.Run(t, kindtest.Suite{Kind: gateway.New(gateway.Options{}), Envelopes: []string{"json"}})
}
