package main

import "fanfare/bench"

// peerFlags name the programs of others that the suite measures beside Fanfare.
type peerFlags struct {
	Peers      bool   `help:"Measure other programs at the same work: those on the PATH and those named." default:"true" negatable:""`
	NSQD       string `name:"nsqd" help:"Program to measure, with nsq_to_http." placeholder:"FILE"`
	NSQToHTTP  string `name:"nsq-to-http" help:"Program that pushes what nsqd has." placeholder:"FILE"`
	GoAWS      string `name:"goaws" help:"Program to measure." placeholder:"FILE"`
	NATSServer string `name:"nats-server" help:"Program to measure." placeholder:"FILE"`
}

func (f *peerFlags) find() bench.Peers {
	if !f.Peers {
		return bench.Peers{}
	}
	return bench.FindPeers(bench.Peers{NSQD: f.NSQD, NSQToHTTP: f.NSQToHTTP, GoAWS: f.GoAWS, NATSServer: f.NATSServer})
}
