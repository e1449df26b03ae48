'use strict';

// Runs the steps that come on stdin as a JSON array, one after the other, and prints their outcomes as one. A
// step is {op, ...}; perform maps each op to a function of the step. A value that is not JSON, such as the bytes
// of an attribute, comes as {base64}.

module.exports = async function steps(perform) {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const outcomes = [];
  for (const step of JSON.parse(Buffer.concat(chunks).toString('utf8'))) {
    try {
      const value = await perform[step.op](step);
      outcomes.push({ value: value === undefined ? null : value });
    } catch (e) {
      outcomes.push({ error: describe(e) });
    }
  }
  // The SDKs keep connections open; nothing is under way any more.
  process.stdout.write(JSON.stringify(outcomes) + '\n', () => process.exit(0));
};

function describe(e) {
  if (!(e instanceof Error)) {
    // ali-mns rejects with the parsed reply, or with a number when there was none.
    const error = (e && e.Error) || {};
    return { name: '', code: String(error.Code || ''), status: typeof e === 'number' ? e : 0, message: JSON.stringify(e) };
  }
  return {
    name: e.name,
    code: String(e.Code || e.code || ''),
    status: (e.$metadata && e.$metadata.httpStatusCode) || 0,
    message: e.message,
  };
}
