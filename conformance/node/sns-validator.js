'use strict';

// sns-validator: node sns-validator.js URL < steps
//
// The package fetches the certificate from an address of Amazon's, over HTTPS. Here that is fetched from URL instead;
// everything else is the package's own.

const https = require('https');
const http = require('http');
const MessageValidator = require('sns-validator');
const steps = require('./steps');

https.get = (address, done) => http.get(process.argv[2] + new URL(address).pathname, done);

const validator = new MessageValidator();

steps({
  validate: (step) => new Promise((resolve, reject) => {
    validator.validate(step.document, (error, message) => {
      if (error) reject(error);
      else resolve({ type: message.Type, id: message.MessageId });
    });
  }),
});
