// A worker for the commands of warm-commands.ts: it is ready at once, and SIGTERM ends it as Node does by itself.
const { createServer } = require('node:http');
const port = process.argv.find((word) => word.startsWith('--port=')).slice('--port='.length);
createServer((_request, response) => response.setHeader('Server', 'TornadoServer/6.2').end()).listen(port, '127.0.0.1');
// Nothing of a build may outlive it, whatever happens to the build.
setTimeout(() => process.exit(1), 60_000);
