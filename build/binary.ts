// usage: binary.ts OUTPUT
// src and Node → the finished binary. Needs nothing but node_modules and strip(1): no network, no HOME.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { NODE_FLAGS, pack } from './sea.ts';
import { smoke } from './smoke.ts';
import { stripNode } from './strip.ts';
import { findPorts, type Warmth } from './warm-commands.ts';

const [output] = process.argv.slice(2);
if (output === undefined) throw new Error('usage: binary.ts OUTPUT');

const work = join(import.meta.dirname, '../dist/build');
mkdirSync(work, { recursive: true });
const version = readFileSync(join(work, '../version'), 'utf8').trim();
const [app, probe] = [join(work, 'app.js'), join(work, 'probe')];
const caches = { all: join(work, 'all.cache'), status: join(work, 'status.cache') };
const assets = { app, ...caches };

const base = stripNode(work);
writeFileSync(app, await bundle(version));
const port = await findPorts();
warm('all', caches.all);
warm('start');
warm('status', caches.status);
warm('stop');

await pack(join(import.meta.dirname, 'boot-probe.cjs'), assets, base, probe);
const verdict = execFileSync(probe, { encoding: 'utf8', env: {} });
rmSync(probe);
if (verdict !== 'accepted accepted') throw new Error(`V8 does not take the bytecode: ${verdict}`);

// The binary may be running: it is never written to, but replaced (execve(2), ETXTBSY).
const made = `${output}.${process.pid}`;
try {
  await pack(join(import.meta.dirname, 'boot.cjs'), assets, base, made);
  smoke(made, version);
  renameSync(made, output);
} finally {
  rmSync(made, { force: true });
}

function warm(warmth: Warmth, cache?: string): void {
  const words = [
    join(import.meta.dirname, 'warm.ts'),
    app,
    String(port),
    warmth,
    ...(cache === undefined ? [] : [cache]),
  ];
  const { status, error, stderr } = spawnSync(base, [...NODE_FLAGS, ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the bundle does not run: ${error ?? stderr}`);
}
