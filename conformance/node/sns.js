'use strict';

// @aws-sdk/client-sns: node sns.js URL < steps

const sns = require('@aws-sdk/client-sns');
const steps = require('./steps');

const client = new sns.SNSClient({
  region: 'us-east-1',
  endpoint: process.argv[2],
  maxAttempts: 1,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

// Every command of the SDK is an operation by its name without the ending, and these by shorter ones.
const commands = {
  createTopic: sns.CreateTopicCommand,
  subscribe: sns.SubscribeCommand,
  confirm: sns.ConfirmSubscriptionCommand,
  publish: sns.PublishCommand,
  publishBatch: sns.PublishBatchCommand,
};
for (const [name, Command] of Object.entries(sns)) {
  if (name.endsWith('Command') && name !== '$Command') commands[name.slice(0, -'Command'.length)] = Command;
}

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
