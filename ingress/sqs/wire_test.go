package sqs

import (
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// setup makes the queues plain, small, with the shortest messages, plain for its dead letters and a tag, waiting, with one message,
// ordered.fifo and content.fifo.
func setup(t testing.TB, e *engine.Engine) ingress.Face {
	t.Helper()
	for _, config := range []engine.QueueConfig{
		{Name: "plain"},
		{
			Name: "small", MessageMax: engine.QueueMessageBytesMin, DeadLetters: engine.QueueRedrive{Queue: "plain", Receives: 3},
			Labels: map[string]string{"sqs.tag.team": "red & blue", "other": "x"},
		},
		{Name: "waiting"},
		{Name: "ordered.fifo", FIFO: &engine.FIFO{}},
		{Name: "content.fifo", FIFO: &engine.FIFO{ByContent: true, PerGroup: true}},
	} {
		if config.MessageMax == 0 {
			config.MessageMax = engine.QueueMessageBytesMax
		}
		config.Visibility, config.Retention = engine.VisibilityDefault, engine.QueueRetention
		if _, _, err := e.CreateQueue(config); err != nil {
			t.Fatal(err)
		}
	}
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, []byte("it's \"<waiting>\" & é"))
	m.Set(engine.FieldGroup, []byte("tenant"))
	m.Set(engine.FieldTrace, []byte("Root=1"))
	m.AddAttribute([]byte("z"), []byte("Binary"), []byte{2, 3, 4}, true)
	m.AddAttribute([]byte("a.b"), []byte("String"), []byte("v<"), false)
	if err := e.Publish(e.Queue([]byte("waiting")).Topic(), m); err != nil {
		t.Fatal(err)
	}
	return New(e, Options{})
}

func TestWire(t *testing.T) {
	facetest.RunWire(t, "testdata/wire", func(t *testing.T, e *engine.Engine) ingress.Face { return setup(t, e) })
}
