import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

const SIZE = 32;
const LOWEST = 20_000;

/** Consecutive free loopback ports that no other test takes until they are released. */
export interface PortRange {
  readonly first: number;
  readonly count: number;
  release(): Promise<void>;
}

/** Undefined when somebody has the port. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      'code' in error && error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server !== undefined) {
    await close(server);
  }
  return server !== undefined;
}

/** Below the ports that the kernel gives to outgoing connections, which nobody can reserve. */
function highest(): number {
  const lowestEphemeral = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0]);
  return lowestEphemeral >= LOWEST + 100 * SIZE ? lowestEphemeral : 60_000;
}

/**
 * A block is ours while we listen on its first port: the kernel decides between two takers, and gives it back when we die.
 */
export async function takePorts(): Promise<PortRange> {
  const blocks = Math.floor((highest() - LOWEST) / SIZE);
  for (let tries = 0; tries < 200; tries += 1) {
    const base = LOWEST + SIZE * randomInt(blocks);
    const claim = await listen(base);
    if (claim === undefined) {
      continue;
    }
    const rest = Array.from({ length: SIZE - 1 }, (_, index) => base + 1 + index);
    const free = await Promise.all(rest.map(isFree));
    if (free.every((yes) => yes)) {
      return { first: base + 1, count: SIZE - 1, release: () => close(claim) };
    }
    await close(claim);
  }
  throw new Error(`no ${SIZE} consecutive free ports found on 127.0.0.1`);
}
