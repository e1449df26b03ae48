'use strict';

// @aws-sdk/client-sqs: node sqs.js URL < steps

const sqs = require('@aws-sdk/client-sqs');

require('./aws')(sqs, sqs.SQSClient, {});
