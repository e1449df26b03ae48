package webhook_test

import (
	"testing"

	"fanfare/egress/kindtest"
	"fanfare/egress/webhook"
)

func TestConformance(t *testing.T) {
	kindtest.Run(t, kindtest.Suite{Kind: webhook.New(webhook.Options{}), Envelopes: []string{"raw", "cloudevents"}})
}
