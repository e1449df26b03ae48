'use strict';

// @aws-sdk/client-sns: node sns.js URL < steps

const sns = require('@aws-sdk/client-sns');

require('./aws')(sns, sns.SNSClient, {
  createTopic: sns.CreateTopicCommand,
  subscribe: sns.SubscribeCommand,
  confirm: sns.ConfirmSubscriptionCommand,
  publish: sns.PublishCommand,
  publishBatch: sns.PublishBatchCommand,
});
