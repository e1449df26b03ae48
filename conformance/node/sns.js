'use strict';

// @aws-sdk/client-sns: node sns.js URL < steps

const {
  SNSClient, CreateTopicCommand, SubscribeCommand, ConfirmSubscriptionCommand, PublishCommand, PublishBatchCommand,
} = require('@aws-sdk/client-sns');
const steps = require('./steps');

const client = new SNSClient({
  region: 'us-east-1',
  endpoint: process.argv[2],
  maxAttempts: 1,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

const commands = {
  createTopic: CreateTopicCommand,
  subscribe: SubscribeCommand,
  confirm: ConfirmSubscriptionCommand,
  publish: PublishCommand,
  publishBatch: PublishBatchCommand,
};

// bytes turns {base64} into the bytes it stands for, at any depth.
function bytes(value) {
  if (Array.isArray(value)) return value.map(bytes);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.base64 === 'string') return new Uint8Array(Buffer.from(value.base64, 'base64'));
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, bytes(v)]));
}

const perform = {};
for (const [op, Command] of Object.entries(commands)) {
  perform[op] = async (step) => {
    const reply = await client.send(new Command(bytes(step.input)));
    delete reply.$metadata;
    return reply;
  };
}

steps(perform);
