// A worker for the commands of warm-commands.ts: it is ready at once, and SIGTERM ends it as Node does by itself. A slow one
// takes its time for both, so that commands wait for it on every machine.
const { createServer } = require('node:http');
const port = process.argv.find((word) => word.startsWith('--port=')).slice('--port='.length);
const server = createServer((_request, response) => response.setHeader('Server', 'TornadoServer/6.2').end());
const isSlow = process.argv.includes('--slow');
setTimeout(() => server.listen(port, '127.0.0.1'), isSlow ? 1500 : 0);
if (isSlow) process.on('SIGTERM', () => setTimeout(() => process.exit(0), 500));
// Nothing of a build may outlive it, whatever happens to the build.
setTimeout(() => process.exit(1), 60_000);
