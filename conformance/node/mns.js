'use strict';

// @alicloud/mns: node mns.js URL < steps

const MNS = require('@alicloud/mns');
const steps = require('./steps');

const client = new MNS('123456', { endpoint: process.argv[2], accessKeyId: 'ak-demo', accessKeySecret: 'sk-demo' });

// The SDK puts texts into its XML as they are; its users escape them.
const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

steps({
  createTopic: ({ topic, attributes }) => client.createTopic(topic, attributes),
  publish: ({ topic, body, tag }) => {
    const params = { MessageBody: escape(body) };
    if (tag) params.MessageTag = tag;
    return client.publishMessage(topic, params);
  },
});
