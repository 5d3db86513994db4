// The main script of a throw-away binary that tells the build whether V8 takes the bytecode. A rejected cache is silent
// otherwise: the binary would only be slower.
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');
const cachedData = new Uint8Array(getRawAsset('cache'));
const { cachedDataRejected } = new Script(Buffer.from(getRawAsset('app')).latin1Slice(), {
  filename: 'frontik-supervisor.js',
  cachedData,
});
require('node:fs').writeSync(1, cachedDataRejected ? 'rejected' : 'accepted');
