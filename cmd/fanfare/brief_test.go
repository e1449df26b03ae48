package main

import (
	"runtime"
	"testing"

	"fanfare/engine"

	"github.com/rs/zerolog"
)

// A server that is told to end before it has begun to accept ends all the same.
func TestServerThatEndsAtOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // what it starts begins to run behind the next wait
	for range 20 {
		c := defaultConfig()
		c.Listen, c.Admin, c.Data, c.Durability = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), string(engine.DurabilityMemory)
		h, err := openHouse(c, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.close(); err != nil {
			t.Fatal(err)
		}
	}
}
