// usage: binary.ts OUTPUT [ARCHITECTURE]
// src and Node → the finished binary. Needs nothing but node_modules and strip(1): no network, no HOME; for another
// architecture (build/target.ts) its Node from npm, and qemu. The same sources give the same bytes.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { NODE_FLAGS, pack } from './sea.ts';
import { smoke } from './smoke.ts';
import { stripNode } from './strip.ts';
import { findTarget } from './target.ts';
import { findPorts, type Warmth } from './warm-commands.ts';

const [output, arch = process.arch] = process.argv.slice(2);
if (output === undefined) throw new Error('usage: binary.ts OUTPUT [ARCHITECTURE]');

const dist = join(import.meta.dirname, '../dist');
const work = join(dist, 'build', arch);
mkdirSync(work, { recursive: true });
const target = findTarget(arch, work);
const version = readFileSync(join(dist, 'version'), 'utf8').trim();
const [app, probe] = [join(work, 'app.js'), join(work, 'probe')];
const caches = { all: join(work, 'all.cache'), status: join(work, 'status.cache') };
const assets = { app, ...caches };

const base = stripNode(work, target);
writeFileSync(app, await bundle(version));
const port = await findPorts();
warmUp('all', caches.all);
warm('start');
warmUp('status', caches.status);
warm('stop');

await pack(join(import.meta.dirname, 'boot-probe.cjs'), assets, base, probe, arch);
const verdict = execFileSync(...target.command(probe, []), { encoding: 'utf8', env: {} });
rmSync(probe);
if (verdict !== 'accepted accepted') throw new Error(`V8 does not take the bytecode: ${verdict}`);

// The binary may be running: it is never written to, but replaced (execve(2), ETXTBSY).
const made = `${output}.${process.pid}`;
try {
  await pack(join(import.meta.dirname, 'boot.cjs'), assets, base, made, arch);
  smoke(made, version, target);
  renameSync(made, output);
} finally {
  rmSync(made, { force: true });
}

/**
 * Which functions a run uses is a little a matter of chance, the more so on a busy machine: what two runs agree on is kept.
 * They will agree at last, but on a machine in distress, and there any cache will do.
 */
function warmUp(warmth: Warmth, cache: string): void {
  const seen = new Set<string>();
  for (let run = 0; run < 10; run += 1) {
    rmSync(cache, { force: true });
    warm(warmth, cache);
    warm('none', cache);
    const found = readFileSync(cache, 'latin1');
    if (seen.has(found)) return;
    seen.add(found);
  }
}

function warm(warmth: Warmth, cache?: string): void {
  const script = [join(import.meta.dirname, 'warm.ts'), app, String(port), warmth, process.execPath];
  // The seed of V8's hashes, which are in its bytecode; it does not count among the flags that must be the binary's.
  const words = [...NODE_FLAGS, '--random-seed=1', ...script, ...(cache === undefined ? [] : [cache])];
  const { status, error, stderr } = spawnSync(...target.command(base, words), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the bundle does not run: ${error ?? stderr}`);
}
