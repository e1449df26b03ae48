'use strict';

// @aliyunmq/mq-http-sdk: node mq.js URL < steps

const { MQClient, MessageProperties } = require('@aliyunmq/mq-http-sdk');
const steps = require('./steps');

const client = new MQClient(process.argv[2], 'ak-demo', 'sk-demo');
const instance = 'MQ_INST_1_x';
const group = 'GID_conformance';

function properties({ key, shardingKey, startDeliverTime, checkSeconds, properties = {} }) {
  const props = new MessageProperties();
  for (const [name, value] of Object.entries(properties)) props.putProperty(name, value);
  if (key) props.messageKey(key);
  if (shardingKey) props.shardingKey(shardingKey);
  if (startDeliverTime) props.startDeliverTime(startDeliverTime);
  if (checkSeconds) props.transCheckImmunityTime(checkSeconds);
  return props;
}

steps({
  publish: (step) => client.getProducer(instance, step.topic).publishMessage(step.body, step.tag, properties(step)),
  half: (step) => client.getTransProducer(instance, step.topic, group).publishMessage(step.body, step.tag, properties(step)),
  commit: ({ topic, handle }) => client.getTransProducer(instance, topic, group).commit(handle),
  rollback: ({ topic, handle }) => client.getTransProducer(instance, topic, group).rollback(handle),
});
