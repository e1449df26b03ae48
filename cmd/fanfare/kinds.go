package main

import (
	"cmp"
	"fmt"
	"slices"

	"fanfare/egress"
	"fanfare/egress/gateway"
	"fanfare/egress/webhook"
	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"
	"fanfare/ingress"
	"fanfare/ingress/dms"
	"fanfare/ingress/native"
	"fanfare/ingress/rocketmq"
	"fanfare/ingress/smn"
	"fanfare/ingress/smq"
	"fanfare/ingress/sns"
	"fanfare/ingress/sqs"

	"github.com/rs/zerolog"

	egresssmn "fanfare/egress/smn"
	egresssmq "fanfare/egress/smq"
	egresssns "fanfare/egress/sns"
	egresssqs "fanfare/egress/sqs"
)

// This file is the registration: what the binary speaks, each in one line.

// faces lists the wire protocols in the order in which they are asked whether a request is theirs.
func faces(e *engine.Engine, c *config, log zerolog.Logger) []ingress.Face {
	all := []ingress.Face{
		native.New(e, native.Options{Log: log}),
		rocketmq.New(e, c.rocketmqOptions(log)),
		smq.New(e, c.smqOptions(log)),
		dms.New(e, c.dmsOptions(log)),
		smn.New(e, c.smnOptions(log)),
		sqs.New(e, c.sqsOptions(log)),
		sns.New(e, c.snsOptions(log)),
	}
	return slices.DeleteFunc(all, func(f ingress.Face) bool { return !c.serves(f.Name()) })
}

// faceTable is what the configuration has to know of the faces: their names, and whether they verify signatures when
// there are credentials.
var faceTable = []struct {
	name     string
	verifies bool
}{{"native", false}, {"rocketmq", false}, {"smq", false}, {"dms", false}, {"smn", false}, {"sqs", true}, {"sns", true}}

// kinds lists what subscribers speak. The engine may be nil where nothing is delivered.
func kinds(e *engine.Engine, c *config) []egress.Kind {
	return []egress.Kind{
		webhook.New(webhook.Options{}),
		egresssns.New(c.snsKindOptions()),
		egresssqs.New(egresssqs.Options{Documents: egresssns.New(c.snsKindOptions())}),
		gateway.New(c.gatewayOptions(e)),
		egresssmq.New(egresssmq.Options{Account: c.SMQ.Account, Answers: c.SMQ.Answers.engine()}),
		egresssmn.New(egresssmn.Options{Region: c.SMN.Region, Project: c.SMN.Project, PublicURL: c.PublicURL, Answers: c.SMN.Answers.engine()}),
	}
}

// queueKind is how dead letters get into queues.
func queueKind() egress.QueueKind { return egresssqs.New(egresssqs.Options{}) }

// openStore opens the store that the durability setting asks for.
func openStore(c *config, log zerolog.Logger) (engine.Store, error) {
	if c.Durability == string(engine.DurabilityMemory) {
		return memstore.New(memstore.Options{}), nil
	}
	return pebblestore.Open(pebblestore.Options{
		Dir: c.Data, Durability: engine.Durability(c.Durability), CacheBytes: int64(c.Memory / 8), MemTableBytes: c.memtableBytes(),
		FreeBytesMin: freeBytesMin(c.Limits.FreeBytes), StoredBytesMax: int64(c.Limits.StoredBytes), FS: c.storeFS, Log: log,
	})
}

func (c *config) rocketmqOptions(log zerolog.Logger) rocketmq.Options {
	return rocketmq.Options{Log: log}
}

func (c *config) smqOptions(log zerolog.Logger) smq.Options {
	return smq.Options{Account: c.SMQ.Account, MissingNamespace: c.SMQ.MissingNamespace, Log: log}
}

func (c *config) dmsOptions(log zerolog.Logger) dms.Options { return dms.Options{Log: log} }

func (c *config) smnOptions(log zerolog.Logger) smn.Options {
	return smn.Options{Region: c.SMN.Region, Project: c.SMN.Project, PublicURL: c.PublicURL, Log: log}
}

func (c *config) snsOptions(log zerolog.Logger) sns.Options {
	o := sns.Options{
		Region: c.SNS.Region, Account: c.SNS.Account, PublicURL: c.PublicURL, Queues: c.SNS.Queues, Gateways: c.SNS.Gateways.face(),
		Keys: c.keys, Log: log,
	}
	if c.signer != nil {
		o.Certificate = c.signer.Certificate
	}
	return o
}

// sqsOptions are those of the section sqs; what is not given there is as in the section sns.
func (c *config) sqsOptions(log zerolog.Logger) sqs.Options {
	return sqs.Options{
		Region: cmp.Or(c.SQS.Region, c.SNS.Region), Account: cmp.Or(c.SQS.Account, c.SNS.Account), PublicURL: c.PublicURL, Keys: c.keys, Log: log,
	}
}

func (c *config) gatewayOptions(e *engine.Engine) gateway.Options {
	g := c.SNS.Gateways
	o := gateway.Options{Application: g.Application, SMS: g.SMS, Email: c.mailURL, Region: c.SNS.Region, Account: c.SNS.Account, PublicURL: c.PublicURL}
	if e != nil {
		o.Document = e.Document
	}
	return o
}

func (c *config) snsKindOptions() egresssns.Options {
	return egresssns.Options{
		Region: c.SNS.Region, Account: c.SNS.Account, PublicURL: c.PublicURL, Answers: c.SNS.Answers.engine(),
		Signer: c.signer, SignAlways: c.signsAlways(),
	}
}

// validateVendors checks what only the faces can judge.
func (c *config) validateVendors(fault func(key, format string, args ...any)) {
	snsOptions := c.snsOptions(zerolog.Nop())
	sqsOptions := sqs.Options{Region: c.SQS.Region, Account: c.SQS.Account}
	for _, v := range []struct {
		key string
		err error
	}{
		{"sns", snsOptions.Validate()},
		{"sqs", sqsOptions.Validate()},
		{"smq", smq.Options{Account: c.SMQ.Account}.Validate()}, // its other key is checked by itself
		{"smn", c.smnOptions(zerolog.Nop()).Validate()},
	} {
		if v.err != nil {
			fault(v.key, "%v", v.err)
		}
	}
	c.SNS.Gateways.Email.validate(fault)
	for key, answers := range map[string]answersConfig{"sns.answers": c.SNS.Answers, "smq.answers": c.SMQ.Answers, "smn.answers": c.SMN.Answers} {
		rules := answers.engine()
		if reason := rules.Check(); reason != "" {
			fault(key, "%s", reason)
		}
	}
}

// checkKind checks a subscription's kind and envelope, and fills in their defaults.
func checkKind(c *engine.SubscriptionConfig) error {
	c.Kind = cmp.Or(c.Kind, "webhook")
	if queue := c.DeadLetters.Queue; queue != "" {
		if reason := queueKind().CheckQueue(queue); reason != "" {
			return &engine.FieldError{Field: "dead_letters.queue", Reason: reason}
		}
	}
	for _, k := range kinds(nil, defaultConfig()) {
		if k.Name() == c.Kind {
			return egress.CheckKind(k, c)
		}
	}
	return &engine.FieldError{Field: "kind", Reason: fmt.Sprintf("%q is not a kind of subscriber: webhook, sns, sqs, smq, smn or gateway", c.Kind)}
}
