'use strict';

const steps = require('./steps');

// Runs the steps with a client of AWS. Every command of the SDK is an operation by its name without the ending, and those in
// shorter by other ones.
module.exports = function aws(sdk, Client, shorter) {
  const client = new Client({
    region: 'us-east-1',
    endpoint: process.argv[2],
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const commands = { ...shorter };
  for (const [name, Command] of Object.entries(sdk)) {
    if (name.endsWith('Command') && name !== '$Command') commands[name.slice(0, -'Command'.length)] = Command;
  }
  const perform = {};
  for (const [op, Command] of Object.entries(commands)) {
    perform[op] = async (step) => {
      const reply = await client.send(new Command(bytes(step.input)));
      delete reply.$metadata;
      return reply;
    };
  }
  return steps(perform);
};

// bytes turns {base64} into the bytes it stands for, at any depth.
function bytes(value) {
  if (Array.isArray(value)) return value.map(bytes);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.base64 === 'string') return new Uint8Array(Buffer.from(value.base64, 'base64'));
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, bytes(v)]));
}
