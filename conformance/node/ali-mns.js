'use strict';

// ali-mns: HTTP_PROXY=URL node ali-mns.js URL < steps
//
// The SDK knows hosts of the form ACCOUNT.mns.REGION.aliyuncs.com only. It gets to Fanfare because Fanfare is its
// proxy: it then sends its requests with absolute targets.

const AliMNS = require('ali-mns');
const steps = require('./steps');

if (process.env.HTTP_PROXY !== process.argv[2]) throw new Error('HTTP_PROXY must be the URL of Fanfare');

const account = new AliMNS.Account('123456', 'ak-demo', 'sk-demo');
account.setGA(false); // no reports about its use
const region = new AliMNS.Region(AliMNS.City.Hangzhou);

steps({
  createTopic: ({ topic }) => new AliMNS.MNSTopic(account, region).createTopicP(topic),
  subscribe: ({ topic, name, endpoint, format, tag }) => new AliMNS.Topic(topic, account, region)
    .subscribeP(name, endpoint, AliMNS.Subscription.NotifyStrategy.BACKOFF_RETRY, format, tag),
  publish: ({ topic, body, base64, tag }) => new AliMNS.Topic(topic, account, region).publishP(body, base64, tag),
});
