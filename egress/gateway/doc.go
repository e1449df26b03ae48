// Package gateway is the kind of subscriber that stands for what is not reached over HTTP: phones, devices and
// mailboxes. A gateway, which its operator runs, is pushed one JSON object per message and sends it on.
//
// # What it is
//
// One envelope, "json". Every member is a text, but Endpoint and MessageAttributes, which are objects of texts:
//
//	Type               Notification, SubscriptionConfirmation or UnsubscribeConfirmation
//	Protocol           sms, application, email or email-json; http or https for a subscription made otherwise
//	Destination        where to send to: +15551234567, the ARN of a platform endpoint, or a mail address
//	Platform           of the endpoint: GCM, APNS, ...                              application only
//	Application        the name of its platform application                         application only
//	Endpoint           its attributes as they are now: Enabled ("true" or "false"), Token and perhaps CustomUserData;
//	                   left out when the endpoint was deleted                       application only
//	MessageId          the same in every try: what a gateway knows repetitions by
//	TopicArn, SubscriptionArn   left out for what was published to the destination itself
//	Token, SubscribeURL         in confirmations: the link confirms the subscription, or restores it
//	Subject            left out without one
//	Message            the text for the protocol, or for the platform
//	Timestamp          of the publish, such as 2026-01-02T03:04:05.678Z
//	UnsubscribeURL     in notifications of a subscription that was confirmed by a link: email and email-json
//	MessageAttributes  by name, each {"Type":...,"Value":...}, binary values in base64; left out without any. What steers
//	                   text messages and push, AWS.SNS.SMS.* and AWS.SNS.MOBILE.*, is among them
//
// The credentials of push services are not in it: the gateway has its own. A gateway is trusted with the tokens of
// devices and the links that confirm subscriptions; its URL may hold a secret in its path or query.
//
// The URL of a protocol is in the options, and changes for all subscriptions with it. Retries are those that SNS has for
// text messages, mobile push and mail: two after 10 s, ten from 10 s to 10 min, 38 after 10 min.
//
// # Where it stands on the data path
//
// Behind the lanes: Body and AppendHeader render what one push carries. Subscriptions are made by the face "sns", which
// leaves the destination in a label. What is published to a destination itself comes through a subscription without one
// and has the destination as the keys of the message.
//
// # Ownership
//
// What is the same in every push of a subscription is prepared once, when its settings change. Body returns scratch
// memory of the caller. The attributes of an endpoint are looked up for every push and not kept.
//
// # Concurrency
//
// A Kind and its encoders are immutable; Options.Document is called from many goroutines at once.
//
// # Errors
//
// An envelope other than "json" is an *engine.FieldError. Answers 2xx acknowledge; 408, 429, 5xx and those that say
// nothing are worth another try; every other 3xx and 4xx refuses for good.
package gateway
