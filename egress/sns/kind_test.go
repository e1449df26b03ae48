package sns_test

import (
	"testing"

	"fanfare/egress/kindtest"
	"fanfare/egress/sign"
	"fanfare/egress/sns"
)

func TestConformance(t *testing.T) {
	kindtest.Run(t, kindtest.Suite{Kind: sns.New(sns.Options{PublicURL: "http://127.0.0.1:8080"}), Envelopes: []string{"json", "raw"}})
}

func TestConformanceSigned(t *testing.T) {
	signer, err := sign.New(sign.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kind := sns.New(sns.Options{PublicURL: "http://127.0.0.1:8080", Signer: signer, SignAlways: true})
	kindtest.Run(t, kindtest.Suite{Kind: kind, Envelopes: []string{"json", "raw"}})
}
