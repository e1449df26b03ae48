package main

import (
	"net/http"
	"regexp"

	"fanfare/egress"
	"fanfare/engine"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metric is one figure of the layers' Stats.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	value      func(*figures) float64
	desc       *prometheus.Desc
}

type figures struct {
	engine   engine.Stats
	egress   egress.Stats
	lanes    egress.LaneCounts
	ingress  int
	ready    bool
	reopened uint64
	signed   uint64
}

// figures reads them from what is open now.
func (h *house) figures() figures {
	k := h.core.Load()
	signed := uint64(0)
	if h.config.signer != nil {
		signed = h.config.signer.Signings()
	}
	return figures{
		engine: k.engine.Stats(), egress: k.egress.Stats(), lanes: k.egress.Lanes(), ingress: h.faces.Connections(),
		ready: k.engine.Ready() == nil, reopened: h.reopened.Load(),
		signed: signed,
	}
}

// metrics is the table of all of them: name, meaning, source.
func metrics() []*metric {
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	return []*metric{
		{name: "fanfare_messages_committed_total", help: "Messages made durable.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.Messages) }},
		{name: "fanfare_messages_committed_bytes", help: "Size of the messages made durable, as records.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.Bytes) }},
		{name: "fanfare_commit_groups_total", help: "Groups of messages made durable together.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.Groups) }},
		{name: "fanfare_publishes_refused_total", help: "Publishes refused because too many were waiting.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.Refused) }},
		{name: "fanfare_publishes_waiting_bytes", help: "Size of the publishes that wait for their commit.", kind: gauge, value: func(f *figures) float64 { return float64(f.engine.Waiting) }},
		{name: "fanfare_topics", help: "Topics.", kind: gauge, value: func(f *figures) float64 { return float64(f.engine.Topics) }},
		{name: "fanfare_subscriptions", help: "Subscriptions.", kind: gauge, value: func(f *figures) float64 { return float64(f.engine.Subscriptions) }},
		{name: "fanfare_subscriptions_live", help: "Subscriptions that take messages as they are committed.", kind: gauge, value: func(f *figures) float64 { return float64(f.lanes.Live) }},
		{name: "fanfare_subscriptions_lagging", help: "Subscriptions that read from the store what they could not take at once.", kind: gauge, value: func(f *figures) float64 { return float64(f.lanes.Lagging) }},
		{name: "fanfare_subscriptions_paused", help: "Subscriptions whose endpoint is down.", kind: gauge, value: func(f *figures) float64 { return float64(f.lanes.Paused) }},
		{name: "fanfare_timer_entries", help: "Entries of the durable timer in memory: near ones, and those being worked on.", kind: gauge, value: func(f *figures) float64 { return float64(f.engine.Timers) }},
		{name: "fanfare_deliveries_acknowledged_total", help: "Deliveries acknowledged by their endpoint.", kind: counter, value: func(f *figures) float64 { return float64(f.egress.Delivered) }},
		{name: "fanfare_attempts_failed_total", help: "Pushes that failed and are worth another try.", kind: counter, value: func(f *figures) float64 { return float64(f.egress.Failed) }},
		{name: "fanfare_deliveries_refused_total", help: "Deliveries their endpoint refused for good.", kind: counter, value: func(f *figures) float64 { return float64(f.egress.Refused) }},
		{name: "fanfare_deliveries_expired_total", help: "Deliveries whose message expired first.", kind: counter, value: func(f *figures) float64 { return float64(f.egress.Expired) }},
		{name: "fanfare_dead_letters_total", help: "Deliveries written to the dead letters.", kind: counter, value: func(f *figures) float64 { return float64(f.egress.Buried) }},
		{name: "fanfare_dead_letters_replayed_total", help: "Dead letters that became deliveries again.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.Replayed) }},
		{name: "fanfare_dead_letters_purged_total", help: "Dead letters that were dropped.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.Purged) }},
		{name: "fanfare_messages_missing_total", help: "Stored messages that could not be read for a subscription.", kind: counter, value: func(f *figures) float64 { return float64(f.egress.Missing) }},
		{name: "fanfare_subscriptions_held_bytes", help: "Size of the messages that are in the windows of all subscriptions.", kind: gauge, value: func(f *figures) float64 { return float64(f.egress.HeldBytes) }},
		{name: "fanfare_queues", help: "Queues.", kind: gauge, value: func(f *figures) float64 { return float64(f.engine.Queues) }},
		{name: "fanfare_queue_received_total", help: "Messages received from queues, as often as they were.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.Received) }},
		{name: "fanfare_queue_deleted_total", help: "Messages of queues deleted by who received them.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.QueueDeleted) }},
		{name: "fanfare_queue_expired_total", help: "Messages of queues that became too old.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.QueueExpired) }},
		{name: "fanfare_queue_moved_total", help: "Messages moved to another queue: as dead letters, or back.", kind: counter, value: func(f *figures) float64 { return float64(f.engine.QueueMoved) }},
		{name: "fanfare_queues_held_bytes", help: "Size of the messages that queues keep in memory for their receivers.", kind: gauge, value: func(f *figures) float64 { return float64(f.engine.QueueHeld) }},
		{name: "fanfare_receivers_waiting", help: "Receivers that wait for a message of a queue.", kind: gauge, value: func(f *figures) float64 { return float64(f.engine.Receivers) }},
		{name: "fanfare_ready", help: "1 while publishes are accepted.", kind: gauge, value: func(f *figures) float64 { return map[bool]float64{true: 1}[f.ready] }},
		{name: "fanfare_store_reopened_total", help: "How often the store was closed and opened anew behind a failed write.", kind: counter, value: func(f *figures) float64 { return float64(f.reopened) }},
		{name: "fanfare_signatures_total", help: "Signatures made for documents of the kind sns: one for a message, however many get it.", kind: counter, value: func(f *figures) float64 { return float64(f.signed) }},
		{name: "fanfare_connections_idle", help: "Idle connections to endpoints.", kind: gauge, value: func(f *figures) float64 { return float64(f.egress.IdleConnections) }},
		{name: "fanfare_connections_open", help: "Open connections of clients.", kind: gauge, value: func(f *figures) float64 { return float64(f.ingress) }},
	}
}

// collector reads the layers' figures once per scrape.
type collector struct {
	read  func() figures
	table []*metric
}

// Describe lists the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.table {
		ch <- m.desc
	}
}

// Collect reads the metrics.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	f := c.read()
	for _, m := range c.table {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&f))
	}
}

func metricsHandler(read func() figures) http.Handler {
	c := &collector{table: metrics(), read: read}
	for _, m := range c.table {
		m.desc = prometheus.NewDesc(m.name, m.help, nil, nil)
	}
	r := prometheus.NewRegistry()
	// Beside the runtime's usual figures there is what collecting garbage costs, as it knows since the last collection.
	gc := collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/cpu/classes/gc/total:cpu-seconds$`)})
	r.MustRegister(c, collectors.NewGoCollector(gc), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}
