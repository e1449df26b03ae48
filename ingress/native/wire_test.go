package native

import (
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

func setup(t *testing.T, e *engine.Engine) ingress.Face {
	t.Helper()
	for _, name := range []string{"orders", "NS%a|b"} {
		if _, _, err := e.CreateTopic(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	return New(e, Options{})
}

func TestWire(t *testing.T) { facetest.RunWire(t, "testdata/wire", setup) }
