// The main script of the binary: compiles the bundle with the bytecode of its warm functions, and runs it. It is small
// because the binary holds no bytecode for this file itself.
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');
// Not getAsset(…, 'latin1'): its TextDecoder makes 3 ms of start-up (a tenth) out of nothing.
const script = new Script(Buffer.from(getRawAsset('app')).latin1Slice(), {
  filename: 'frontik-supervisor.js',
  // Which bytecode is only a matter of speed: what is not in it is compiled.
  cachedData: new Uint8Array(getRawAsset(process.argv.includes('status') ? 'status' : 'all')),
});
const bundle = { exports: {} };
script.runInThisContext()(bundle.exports, require, bundle);
// A worker that still owes an answer must not keep us: all output is synchronous, so nothing is lost.
bundle.exports.main(process.argv.slice(2)).then(() => process.exit());
