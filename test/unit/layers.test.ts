// The arrows between the folders of src are held by lint rules. Here each of them is broken once, to see that it fires.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const IMPORTS = 'lint/style/noRestrictedImports';
const GLOBALS = 'lint/style/noRestrictedGlobals';

/** One file of a project: where it stands, what it says, and the rules that must catch it. */
type Case = readonly [file: string, text: string, caught: readonly string[]];

const use = (from: string): string => `import { a } from '${from}';\nexport const b = a;\n`;

const CASES: readonly Case[] = [
  ['src/core/inside.ts', use('./units.ts'), []],
  ['src/core/config.ts', use('../config/options.ts'), [IMPORTS]],
  ['src/core/type-only.ts', "import type { a } from '../host/host.ts';\nexport type b = a;\n", [IMPORTS]],
  ['src/core/node.ts', use('node:path'), [IMPORTS]],
  ['src/core/bare-node.ts', use('fs'), [IMPORTS]],
  ['src/core/dynamic.ts', "export const b = import('node:fs');\n", [IMPORTS]],
  ['src/core/re-export.ts', "export { a } from '../engine/drive.ts';\n", [IMPORTS]],
  ['src/core/environment.ts', 'export const b = process.env;\n', [GLOBALS]],
  ['src/core/time.ts', 'export const b = Date.now();\n', [GLOBALS]],
  ['src/core/hidden.ts', 'export const b = globalThis;\n', [GLOBALS]],
  ['src/config/inside.ts', use('../core/units.ts'), []],
  ['src/config/engine.ts', use('../engine/drive.ts'), [IMPORTS]],
  ['src/config/host.ts', use('../host/host.ts'), [IMPORTS]],
  ['src/config/node.ts', use('node:fs'), [IMPORTS]],
  ['src/config/environment.ts', 'export const b = process.cwd();\n', [GLOBALS]],
  ['src/engine/interfaces.ts', use('../host/host.ts'), []],
  ['src/engine/core.ts', use('../core/units.ts'), []],
  ['src/engine/adapter.ts', use('../host/node-host.ts'), [IMPORTS]],
  ['src/engine/config.ts', use('../config/settings.ts'), [IMPORTS]],
  ['src/engine/report.ts', use('../report/wording.ts'), [IMPORTS]],
  ['src/engine/timer.ts', 'export const b = setTimeout;\n', [GLOBALS]],
  ['src/report/core.ts', use('../core/event.ts'), []],
  ['src/report/engine.ts', use('../engine/drive.ts'), [IMPORTS]],
  ['src/report/wording.ts', use('signale'), [IMPORTS]],
  ['src/report/deep.ts', use('signale/signale.js'), [IMPORTS]],
  ['src/report/console.ts', use('signale/signale.js'), []],
  ['src/cli/engine.ts', use('../engine/commands.ts'), []],
  ['src/cli/interfaces.ts', use('../host/host.ts'), []],
  ['src/cli/adapter.ts', use('../host/node-host.ts'), [IMPORTS]],
  ['src/cli/run.ts', use('yargs'), [IMPORTS]],
  ['src/cli/parse.ts', use('yargs'), []],
  ['src/cli/main.ts', use('../main.ts'), [IMPORTS]],
  ['src/cli/node.ts', use('node:process'), [IMPORTS]],
  ['src/host/proc.ts', `${use('node:fs')}export const c = process.pid;\n`, []],
  ['src/host/inward.ts', use('./host.ts'), []],
  ['src/host/engine.ts', use('../engine/drive.ts'), [IMPORTS]],
  ['src/host/yargs.ts', use('yargs'), [IMPORTS]],
  ['src/host/host.ts', use('node:fs'), [IMPORTS]],
  ['src/main.ts', `${use('node:fs')}export * as h from './host/proc.ts';\n`, []],
  ['src/core/ring-a.ts', use('./ring-b.ts'), ['lint/suspicious/noImportCycles']],
  ['src/core/ring-b.ts', use('./ring-a.ts'), ['lint/suspicious/noImportCycles']],
];

let project = '';

before(() => {
  project = mkdtempSync(join(tmpdir(), 'layers-'));
  for (const file of ['biome.json', '.oxlintrc.json', 'package.json', 'tsconfig.json']) {
    copyFileSync(join(ROOT, file), join(project, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
});

after(() => rmSync(project, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), text);
}

/** What a linter says of the project, one `file: rule` a finding. */
function findings(tool: string, args: readonly string[], line: RegExp): readonly string[] {
  const { stdout, error } = spawnSync(join(ROOT, 'node_modules/.bin', tool), args, { cwd: project, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return [...stdout.matchAll(line)].map(({ groups }) => `${groups?.['file']}: ${groups?.['rule']}`).toSorted();
}

test('an import against the arrows is caught, one along them is not', () => {
  for (const [file, text] of CASES) write(file, text);
  // Biome names files by their real path.
  const seen = findings(
    'biome',
    ['lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', 'src'],
    /title=(?<rule>lint\/style\/noRestricted\w+|lint\/suspicious\/noImportCycles),file=(?:[^,]*\/)?(?<file>src\/[^,]+),/g,
  );
  const wanted = CASES.flatMap(([file, , caught]) => caught.map((rule) => `${file}: ${rule}`)).toSorted();
  assert.deepEqual(seen, wanted);
});

test('a promise that nobody awaits, and a switch that forgets a case, are caught', () => {
  rmSync(join(project, 'src'), { recursive: true, force: true });
  write('src/floats.ts', 'export async function f(): Promise<void> {}\nf();\n');
  write('src/misused.ts', 'export async function f(): Promise<boolean> {\n  return true;\n}\nif (f()) f;\n');
  write('src/not-a-promise.ts', 'export async function f(): Promise<void> {\n  await 1;\n}\n');
  write(
    'src/forgets.ts',
    "export function f(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n      break;\n  }\n}\n",
  );
  const seen = findings(
    'oxlint',
    ['--format=unix', 'src'],
    /^(?<file>src\/[\w-]+\.ts):.*\[\w+\/(?<rule>typescript\([\w-]+\))\]$/gm,
  );
  for (const wanted of [
    'src/floats.ts: typescript(no-floating-promises)',
    'src/misused.ts: typescript(no-misused-promises)',
    'src/not-a-promise.ts: typescript(await-thenable)',
    'src/forgets.ts: typescript(switch-exhaustiveness-check)',
  ]) {
    assert.ok(seen.includes(wanted), `${wanted} is not among ${seen.join(', ')}`);
  }
});
