import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Configuration, Stage } from './e2e.ts';
import { haproxySocket, nginxSignal, type ProxyName } from './rolling-proxies.ts';

/**
 * The hooks that `export` prints in its comments: the script is put beside the workers, with the places of an installed
 * proxy replaced by those of the test's. Returns the options that call it.
 */
export function installHooks(stage: Stage, proxy: ProxyName, exported: string): Configuration {
  const comments = exported.replaceAll(/^(?!#).*\n/gm, '').replaceAll(/^# ?/gm, '');
  const [, lines] = /^ {4}(#!\/bin\/sh.*\n(?: {4}.*\n)+)/m.exec(comments) ?? [];
  assert(lines !== undefined, `no script in:\n${exported}`);
  const directory = stage.path(proxy);
  const places: readonly (readonly [printed: RegExp, here: string])[] =
    proxy === 'nginx'
      ? [
          [/\/etc\/nginx\/conf\.d\/\S+/, join(directory, 'workers.conf')],
          [/^nginx -s reload$/m, nginxSignal(directory, 'reload').join(' ')],
        ]
      : [[/\/run\/haproxy\/admin\.sock/, haproxySocket(directory)]];
  let script = lines.replaceAll(/^ {4}/gm, '');
  for (const [printed, here] of places) {
    assert.match(script, printed);
    script = script.replace(printed, here);
  }
  const path = stage.write(`in-${proxy}`, script, 0o755);
  const options = [...comments.matchAll(/^ {4}(supervisor_\w+) = (?:'\S+ (.*)'|(\d+))$/gm)];
  assert.equal(options.length, 3, exported);
  return Object.fromEntries(
    options.map(([, name = '', words, number]) => [name, words === undefined ? Number(number) : `${path} ${words}`]),
  );
}
