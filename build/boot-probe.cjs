// The main script of a throw-away binary that tells the build whether V8 takes the bytecode. A rejected cache is silent
// otherwise: the binary would only be slower.
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');
const source = Buffer.from(getRawAsset('app')).latin1Slice();
const verdicts = ['all', 'status'].map((name) => {
  const cachedData = new Uint8Array(getRawAsset(name));
  const { cachedDataRejected } = new Script(source, { filename: 'frontik-supervisor.js', cachedData });
  return cachedDataRejected ? 'rejected' : 'accepted';
});
require('node:fs').writeSync(1, verdicts.join(' '));
