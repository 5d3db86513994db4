import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { files } from '../../src/host/files.ts';
import { inNode, NOBODY, scratch, unlessRoot } from '../support/adapters.ts';

/** A file that only root may change, and what is then done to it or its surroundings. */
interface Case {
  readonly what: string;
  readonly spoil: (file: string) => void;
  /** Whom it is about, below the directory of the test, and why. */
  readonly found: readonly [path: string, why: string] | undefined;
}

const open = (mode: number) => (path: string) => chmodSync(path, mode);
const around = (act: (path: string) => void) => (file: string) => act(dirname(file));
const give = (path: string): void => chownSync(path, NOBODY, NOBODY);

const CASES: readonly Case[] = [
  { what: 'root`s own', spoil: () => undefined, found: undefined },
  { what: 'readable for all', spoil: open(0o444), found: undefined },
  { what: 'somebody`s', spoil: give, found: ['etc/app.cfg', 'belongs to nobody'] },
  { what: 'writable for its group', spoil: open(0o664), found: ['etc/app.cfg', 'may be written by its group'] },
  { what: 'writable for everybody', spoil: open(0o646), found: ['etc/app.cfg', 'may be written by everybody'] },
  { what: 'in somebody`s directory', spoil: around(give), found: ['etc', 'belongs to nobody'] },
  {
    what: 'in a directory writable for its group',
    spoil: around(open(0o775)),
    found: ['etc', 'may be written by its group'],
  },
  {
    what: 'in a sticky directory, as /tmp is',
    spoil: around(open(0o1777)),
    found: ['etc', 'may be written by everybody'],
  },
  {
    what: 'below somebody`s directory, which he can exchange as a whole',
    spoil: (file) => give(dirname(dirname(file))),
    found: ['.', 'belongs to nobody'],
  },
  {
    what: 'below a directory writable for everybody',
    spoil: (file) => open(0o777)(dirname(dirname(file))),
    found: ['.', 'may be written by everybody'],
  },
  {
    what: 'below a sticky directory, where root`s directory stays',
    spoil: (file) => open(0o1777)(dirname(dirname(file))),
    found: undefined,
  },
];

suite('who else may change a file', { skip: unlessRoot }, () => {
  for (const { what, spoil, found } of CASES) {
    test(`${what}, and behind a link`, (t) => {
      const directory = scratch(t);
      for (const name of ['etc', 'links']) mkdirSync(join(directory, name), { mode: 0o755 });
      const file = join(directory, 'etc/app.cfg');
      writeFileSync(file, '', { mode: 0o644 });
      const link = join(directory, 'links/app.cfg');
      symlinkSync(file, link);
      spoil(file);
      const distrust = found === undefined ? undefined : { path: join(directory, found[0]), why: found[1] };
      assert.deepEqual([files.distrust(file), files.distrust(link)], [distrust, distrust]);
    });
  }

  test('a link that somebody may put elsewhere', (t) => {
    const directory = scratch(t);
    const [etc, links] = [join(directory, 'etc'), join(directory, 'links')];
    mkdirSync(etc, { mode: 0o755 });
    mkdirSync(links, { mode: 0o755 });
    writeFileSync(join(etc, 'app.cfg'), '', { mode: 0o644 });
    symlinkSync(join(etc, 'app.cfg'), join(links, 'app.cfg'));
    give(links);
    assert.deepEqual(files.distrust(join(links, 'app.cfg')), { path: links, why: 'belongs to nobody' });
  });

  test('a link on the way, to be put elsewhere by somebody, or moved there', (t) => {
    const directory = scratch(t);
    for (const name of ['etc', 'links']) mkdirSync(join(directory, name), { mode: 0o755 });
    const [links, way] = [join(directory, 'links'), join(directory, 'way')];
    writeFileSync(join(directory, 'etc/app.cfg'), '', { mode: 0o644 });
    symlinkSync('../etc', join(links, 'etc'));
    symlinkSync('links/etc/.', way);
    const file = join(way, 'app.cfg');
    assert.equal(files.distrust(file), undefined);
    chmodSync(links, 0o1777);
    assert.deepEqual(files.distrust(file), { path: links, why: 'may be written by everybody' });
    chmodSync(links, 0o755);
    give(links);
    assert.deepEqual(files.distrust(file), { path: links, why: 'belongs to nobody' });
    symlinkSync('round', join(directory, 'round'));
    const why = 'cannot be looked at: ELOOP';
    assert.deepEqual(files.distrust(join(directory, 'round')), { path: join(directory, 'round'), why });
  });

  test('a name without a directory is one in the working directory', (t) => {
    const directory = scratch(t);
    mkdirSync(join(directory, 'etc'), { mode: 0o755 });
    writeFileSync(join(directory, 'etc/app.cfg'), '', { mode: 0o644 });
    const here = join(directory, 'here');
    mkdirSync(here);
    symlinkSync('../etc/app.cfg', join(here, 'app.cfg'));
    chmodSync(here, 0o777);
    const script = `const { files } = await load('host/files'); say(given.map((path) => files.distrust(path)?.why ?? ''));`;
    const given = ['app.cfg', './app.cfg', join(here, 'app.cfg')];
    const why = 'may be written by everybody';
    assert.deepEqual(inNode(script, { given, cwd: here }), [why, why, why]);
  });

  test('what is not there is distrusted for its directory only', (t) => {
    const directory = scratch(t);
    assert.equal(files.distrust(join(directory, 'missing')), undefined);
    assert.equal(files.distrust(join(directory, 'no/directory')), undefined);
    chmodSync(directory, 0o777);
    assert.deepEqual(files.distrust(join(directory, 'missing')), {
      path: directory,
      why: 'may be written by everybody',
    });
  });
});
