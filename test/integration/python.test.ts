// A real Python that executes files: what it tells, and what it may not do.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { millis } from '../../src/core/units.ts';
import type { PythonAnswer, PythonQuestion } from '../../src/host/host.ts';
import { pythonWithin } from '../../src/host/python.ts';
import { PROGRAM } from '../../src/host/python-program.ts';
import { distrustVariables } from '../../src/host/python-trust.ts';
import { asNobody, inNode, NOBODY, PYTHON, scratch, unlessNobodyCan, unlessRoot } from '../support/adapters.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive, look } from '../support/e2e-processes.ts';

const NEVER = new Promise<void>(() => undefined);

function question(path: string, more: Partial<PythonQuestion> = {}): PythonQuestion {
  const names = ['start_port', 'workers_count', 'pidfile_template', 'with_coverage', 'config', 'script', 'app'];
  return { kind: 'config', python: PYTHON, path, names, argv: ['app', 'start'], importsFrom: undefined, ...more };
}

/** Executes a file in a directory of its own. */
function execute(
  t: TestContext,
  text: string,
  more: Partial<PythonQuestion> & { readonly limit?: number; readonly interrupted?: Promise<void> } = {},
): Promise<PythonAnswer> {
  const path = join(scratch(t), 'app.cfg');
  writeFileSync(path, text);
  const { limit = 30_000, interrupted = NEVER, ...rest } = more;
  return pythonWithin(millis(limit)).evaluate(question(path, rest), interrupted);
}

/** `name=value@line:col`; or what went wrong. */
function shown(answer: PythonAnswer): string {
  switch (answer.kind) {
    case 'evaluated':
      return answer.result.values
        .map(({ name, value, at }) => {
          const text =
            value.kind === 'object'
              ? `${value.type} ${value.repr}`
              : 'value' in value
                ? String(value.value)
                : value.kind;
          return `${name}=${value.kind} ${text}@${at.line}:${at.col}`;
        })
        .join(' ');
    case 'raised':
      return `${answer.line}${answer.col === undefined ? '' : `:${answer.col}`} ${answer.text}`;
    case 'failed':
      return JSON.stringify(answer.how);
    default:
      return JSON.stringify(answer);
  }
}

const VALUES: readonly (readonly [text: string, wanted: string])[] = [
  ['', ''],
  ['other = 1\n', ''],
  ['start_port = int("9000")', 'start_port=int 9000@1:14'],
  ['start_port = -10 ** 30', 'start_port=int -1000000000000000000000000000000@1:14'],
  ['start_port = 10 ** 5000 - 10 ** 5000', 'start_port=int 0@1:14'],
  ['start_port = None', 'start_port=none none@1:14'],
  ['with_coverage = not []', 'with_coverage=bool true@1:17'],
  ['start_port = 1e400', 'start_port=float Infinity@1:14'],
  ['start_port = float("nan")', 'start_port=float NaN@1:14'],
  ['start_port = 0.1 + 0.2', 'start_port=float 0.30000000000000004@1:14'],
  ['pidfile_template = "x".upper()', 'pidfile_template=str X@1:20'],
  ['pidfile_template = b"x"', `pidfile_template=object bytes b'x'@1:20`],
  ['start_port = [1]', 'start_port=object list [1]@1:14'],
  ['import os\nstart_port = os', /^start_port=object module <module 'os'/.source],
  ['class C(int): pass\nstart_port = C(7)', 'start_port=int 7@2:14'],
  ['class C:\n  def __repr__(self): raise 1\nstart_port = C()', 'start_port=object C ...@3:14'],
  ['start_port = 1\nif start_port:\n  start_port = 2\nelse:\n  start_port = 3', 'start_port=int 2@3:16'],
  ['start_port, workers_count = 1, 2', 'start_port=int 1@1:29 workers_count=int 2@1:32'],
  ['start_port, workers_count = map(int, "12")', 'start_port=int 1@1:29 workers_count=int 2@1:29'],
  ['for start_port in (1, 2): pass', 'start_port=int 2@1:1'],
  ['pidfile_template = """a\nb"""\nstart_port = 1', 'pidfile_template=str a\nb@1:20 start_port=int 1@3:14'],
  ['x = "\u043f"; start_port = 1', 'start_port=int 1@1:23'],
  ['globals()["start-port"] = 5', 'start_port=int 5@1:1'],
  ['def start_port(): pass', /^start_port=object function/.source],
  // The pieces of the world that a file may look at.
  ['import sys\npidfile_template = " ".join(sys.argv)', 'pidfile_template=str app start@2:20'],
  ['import os\npidfile_template = os.path.basename(__file__)', 'pidfile_template=str app.cfg@2:20'],
  ['pidfile_template = __name__', 'pidfile_template=str builtins@1:20'],
  ['import sys\npidfile_template = repr(sys.stdin.read())', "pidfile_template=str ''@2:20"],
  ['import os\nstart_port = len([n for n in os.listdir("/proc/self/fd") if int(n) > 4])', 'start_port=int 0@2:14'],
  ['import sys\nstart_port = int("" in sys.path)', 'start_port=int 0@2:14'],
  ['import __main__\nstart_port = int(hasattr(__main__, "start_port"))', 'start_port=int 0@2:14'],
];
for (const [text, wanted] of VALUES) {
  test(`value: ${JSON.stringify(text)}`, async (t) => {
    const got = shown(await execute(t, text));
    if (wanted.startsWith('^')) assert.match(got, new RegExp(wanted));
    else assert.equal(got, wanted);
  });
}

const ERRORS: readonly (readonly [text: string, wanted: string])[] = [
  ['x = 1\nstart_port = nope', "2 NameError: name 'nope' is not defined"],
  ['x = {}\n\nx["a"]', "3 KeyError: 'a'"],
  ['def f():\n  raise ValueError("\u043f")\nf()', '2 ValueError: \u043f'],
  ['import json\njson.loads("{")', /^2 JSONDecodeError: Expecting property name/.source],
  ['import nosuch', "1 ModuleNotFoundError: No module named 'nosuch'"],
  ['import sys\nsys.exit(3)', '2 SystemExit: 3'],
  ['raise KeyboardInterrupt', '1 KeyboardInterrupt: '],
  ['class E(BaseException): pass\nraise E', '2 E: '],
  ['class E(Exception):\n  def __str__(self): raise 1\nraise E', /^3 E: E\(\)/.source],
  ['def f(): f()\nf()', /^1 RecursionError: maximum recursion/.source],
  ['start_port = 1 +', '1:17 SyntaxError: invalid syntax'],
  ['if 1:\nx', /^2:1 IndentationError: expected an indented block/.source],
  ['return 1', "1:1 SyntaxError: 'return' outside function"],
  ['eval("1 +")', /^1 SyntaxError: /.source],
  ['x = "\0"', /^1 (?:ValueError|SyntaxError): source code (?:string )?cannot contain null bytes/.source],
  // Descriptor 3 is ours, and what is written there is not believed.
  ['import os\nos.write(3, b"[]")\nos._exit(0)', `{"kind":"ended","how":"exited with status 0"}`],
  [
    'import os\nos.write(3, b\'{"kind":"evaluated","values":[{"name":1}]}\')\nos._exit(0)',
    `{"kind":"ended","how":"exited with status 0"}`,
  ],
  ['import os\nos.closerange(3, 100)', /^\{"kind":"ended","how":"exited with status 1"\}/.source],
  ['import os\nos._exit(7)', `{"kind":"ended","how":"exited with status 7"}`],
  ['import os\nos.kill(os.getpid(), 11)', `{"kind":"ended","how":"was killed by SIGSEGV"}`],
  ['start_port = "x" * 40000000', `{"kind":"too-much"}`],
];
for (const [text, wanted] of ERRORS) {
  test(`error: ${JSON.stringify(text)}`, async (t) => {
    const got = shown(await execute(t, text));
    if (wanted.startsWith('^')) assert.match(got, new RegExp(wanted));
    else assert.equal(got, wanted);
  });
}

test('what the file prints is kept apart, and cut', async (t) => {
  const text = 'import sys\nprint("one")\nsys.stderr.write("two\\n")\nstart_port = 1\nprint("x" * 1000)\n';
  const answer = await execute(t, text);
  assert(answer.kind === 'evaluated');
  assert.deepEqual(answer.printed, ['one', 'x'.repeat(200), 'two']);
  const many = await execute(t, 'for n in range(100000): print(n)\nstart_port = 1\n');
  assert(many.kind === 'evaluated');
  assert.deepEqual(many.printed, ['0', '1', '2', '3', '4', '...']);
});

test('a large value arrives whole', async (t) => {
  const answer = await execute(t, 'pidfile_template = "x" * 3000000');
  assert(answer.kind === 'evaluated');
  const [first] = answer.result.values;
  assert(first?.value.kind === 'str');
  assert.equal(first.value.value, 'x'.repeat(3_000_000));
});

test('a file that does not end is ended in time, with all that it has started', async (t) => {
  const directory = scratch(t);
  const text = `import os, subprocess, sys, time
child = subprocess.Popen(['sleep', '600'])
with open(${JSON.stringify(join(directory, 'pids'))}, 'w') as file: file.write('%d %d' % (os.getpid(), child.pid))
print('so far')
sys.stdout.flush()
time.sleep(600)
`;
  // Python has to come as far as its words, on a busy machine too.
  const answer = await execute(t, text, { limit: 5000 });
  assert(answer.kind === 'failed');
  assert.deepEqual(answer, { kind: 'failed', how: { kind: 'late', limit: 5000 }, printed: ['so far'] });
  for (const pid of readFileSync(join(directory, 'pids'), 'utf8').split(' ').map(Number)) {
    await until(() => {
      const id = look(pid);
      assert(id === undefined || !isAlive(id), `process ${pid} lives`);
    });
  }
});

test('a process that the file leaves behind, with its output, holds up nobody', async (t) => {
  const began = performance.now();
  const text = "import subprocess\nchild = subprocess.Popen(['sleep', '20'])\nstart_port = child.pid\n";
  const answer = await execute(t, text);
  assert(answer.kind === 'evaluated');
  assert(performance.now() - began < 15_000);
  const [first] = answer.result.values;
  assert(first?.value.kind === 'int');
  const id = look(Number(first.value.value));
  if (id !== undefined) process.kill(id.pid, 'SIGKILL');
});

test('a child that the file forks has nothing to tell', async (t) => {
  const text = 'import os\npid = os.fork()\nstart_port = 1 if pid else 2\nif pid: os.waitpid(pid, 0)\n';
  assert.equal(shown(await execute(t, text)), 'start_port=int 1@3:14');
});

test('an interruption ends it', async (t) => {
  const interrupted = new Promise<void>((resolve) => {
    setTimeout(resolve, 300);
  });
  assert.deepEqual(await execute(t, 'import time\ntime.sleep(600)', { interrupted }), { kind: 'interrupted' });
});

test('modules are looked for where the launcher is, not in the working directory, and nothing is written there', async (t) => {
  const directory = scratch(t);
  const elsewhere = scratch(t);
  writeFileSync(join(directory, 'ours.py'), 'n = 4\n');
  writeFileSync(join(elsewhere, 'json.py'), 'raise SystemExit("hijacked")\n');
  writeFileSync(join(elsewhere, 'app.cfg'), 'import ours\nworkers_count = ours.n\n');
  const script = `
    const { pythonWithin } = await load('host/python');
    const { kind, result } = await pythonWithin(30000).evaluate(given, new Promise(() => undefined));
    say([kind, result?.values.map(({ name, value }) => [name, String(value.value)])]);
    process.exit();`;
  const given = question('app.cfg', { importsFrom: directory });
  assert.deepEqual(inNode(script, { given, cwd: elsewhere }), ['evaluated', [['workers_count', '4']]]);
  assert(!existsSync(join(directory, '__pycache__')));
});

test('a launcher: the call, its module, and what it did to its process', async (t) => {
  const text = `import os
from tornado_util.supervisor import supervisor as run
os.environ['LANG_OF_APP'] = 'ru'
os.environ.pop('HOME_OF_APP', None)
os.chdir('/')
def main(**more):
    run('/usr/bin/frontik',
        config='/etc/app.cfg', **more)
main(app=None)
`;
  const before = process.env['HOME_OF_APP'];
  process.env['HOME_OF_APP'] = 'x';
  t.after(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, 'HOME_OF_APP');
  });
  const answer = await execute(t, text, { kind: 'launcher' });
  assert(answer.kind === 'evaluated', shown(answer));
  assert.equal(shown(answer), 'app=none none@7:1 config=str /etc/app.cfg@8:16 script=str /usr/bin/frontik@7:9');
  const { called, imported, effects } = answer.result;
  assert.deepEqual(
    [called, imported, effects],
    [
      'tornado_util.supervisor',
      'tornado_util.supervisor',
      [
        { kind: 'directory', path: '/' },
        { kind: 'variable', name: 'HOME_OF_APP', value: undefined },
        { kind: 'variable', name: 'LANG_OF_APP', value: 'ru' },
      ],
    ],
  );
});

const CALLS: readonly (readonly [text: string, called: string | undefined])[] = [
  ['import frontik.server.supervisor\nfrontik.server.supervisor.supervisor("s")', 'frontik.server.supervisor'],
  ['import frontik.launcher.supervisor as x\nx.supervisor("s")', 'frontik.launcher.supervisor'],
  ['from frontik.server import supervisor\nsupervisor.supervisor("s")', 'frontik.server.supervisor'],
  ['from tornado.server import supervisor\nsupervisor.supervisor("s")', 'tornado.server.supervisor'],
  ['import importlib\nimportlib.import_module("tornado_util.supervisor").supervisor("s")', 'tornado_util.supervisor'],
  ['def f():\n  from frontik.server.supervisor import supervisor\n  supervisor("s")\nf()', 'frontik.server.supervisor'],
  [
    'if __name__ == "__main__":\n  import frontik.server.supervisor as s\n  try:\n    s.supervisor("s")\n  except BaseException:\n    pass',
    'frontik.server.supervisor',
  ],
  ['script = "".join("s")', undefined],
];
for (const [text, called] of CALLS) {
  test(`launcher: ${JSON.stringify(text)}`, async (t) => {
    const answer = await execute(t, text, { kind: 'launcher' });
    assert(answer.kind === 'evaluated', shown(answer));
    assert.equal(answer.result.called, called);
    assert.deepEqual(
      answer.result.values.map(({ name, value }) => [name, 'value' in value ? value.value : null]),
      [['script', 's']],
    );
  });
}

const FROM = 'from frontik.server.supervisor import supervisor\n';
const BAD_CALLS: readonly (readonly [text: string, wanted: string])[] = [
  [`${FROM}supervisor(port=1)`, "2 TypeError: supervisor() got an unexpected keyword argument 'port'"],
  [`${FROM}supervisor("s", script="t")`, "2 TypeError: supervisor() got multiple values for argument 'script'"],
  [`${FROM}supervisor(1, 2, 3, 4)`, '2 TypeError: supervisor() takes script, config and app, and no more by position'],
  ['from frontik.server.nothing import supervisor', "1 ModuleNotFoundError: No module named 'frontik'"],
  [
    `${FROM.trim()}, other`,
    "1 ImportError: cannot import name 'other' from 'frontik.server.supervisor' (unknown location)",
  ],
];
for (const [text, wanted] of BAD_CALLS) {
  test(`launcher: ${JSON.stringify(text)}: ${wanted}`, async (t) =>
    assert.equal(shown(await execute(t, text, { kind: 'launcher' })), wanted));
}

test('a Python that cannot be started, or is none', async (t) => {
  // Not right below /tmp: Python looks for a pyvenv.cfg above its own directory, and anybody could put one there.
  const directory = join(scratch(t), 'bin');
  mkdirSync(directory);
  const broken = join(directory, 'python');
  writeFileSync(broken, '#!/bin/sh\necho "no such version" >&2\nexit 3\n');
  chmodSync(broken, 0o755);
  const failed = (how: object, printed: readonly string[] = []) => ({ kind: 'failed', how, printed });
  assert.deepEqual(
    await execute(t, 'x', { python: join(directory, 'nosuch') }),
    failed({ kind: 'not-started', code: 'ENOENT' }),
  );
  assert.deepEqual(
    await execute(t, 'x'.repeat(1_000_000), { python: broken }),
    failed({ kind: 'ended', how: 'exited with status 3' }, ['no such version']),
  );
  const plain = join(directory, 'plain');
  writeFileSync(plain, '');
  assert.deepEqual(await execute(t, 'x', { python: plain }), failed({ kind: 'not-started', code: 'EACCES' }));
});

test('a file that has gone meanwhile', async () => {
  const answer = await pythonWithin(millis(1000)).evaluate(question('/nosuch/app.cfg'), NEVER);
  assert.deepEqual(answer, { kind: 'unreadable', obstacle: { path: '/nosuch/app.cfg', code: 'ENOENT' } });
});

test('its standard descriptors may be closed', (t) => {
  const path = join(scratch(t), 'app.cfg');
  writeFileSync(path, 'import os\nstart_port = int("1")\nprint("x")\n');
  const script = `
    const { writeFileSync } = await import('node:fs');
    const { pythonWithin } = await load('host/python');
    const { kind, printed } = await pythonWithin(30000).evaluate(given.question, new Promise(() => undefined));
    say([kind, printed]);
    writeFileSync(given.result, JSON.stringify([kind, printed]));
    process.exit();`;
  const result = join(scratch(t), 'result');
  const under = ['/bin/sh', '-c', 'exec "$@" <&- 2>&-', 'sh'];
  assert.deepEqual(inNode(script, { given: { question: question(path), result }, under }), ['evaluated', ['x']]);
});

// ── root ────────────────────────────────────────────────────────

type Spoil = (directory: string, path: string) => void;
const UNTRUSTED: readonly (readonly [what: string, spoil: Spoil, why: string])[] = [
  ['another owner', (_, path) => chownSync(path, NOBODY, 0), 'belongs to nobody'],
  ['a writable group', (_, path) => chmodSync(path, 0o664), 'may be written by its group'],
  ['everybody', (_, path) => chmodSync(path, 0o646), 'may be written by everybody'],
  ["the directory's other owner", (directory) => chownSync(directory, NOBODY, 0), 'belongs to nobody'],
  ["the directory's group", (directory) => chmodSync(directory, 0o775), 'may be written by its group'],
  ['a directory like /tmp', (directory) => chmodSync(directory, 0o1777), 'may be written by everybody'],
];
for (const [what, spoil, why] of UNTRUSTED) {
  test(`root executes nothing that others may change: ${what}`, { skip: unlessRoot }, async (t) => {
    const directory = scratch(t);
    const path = join(directory, 'app.cfg');
    writeFileSync(path, `open(${JSON.stringify(join(directory, 'executed'))}, 'w')\n`);
    spoil(directory, path);
    const answer = await pythonWithin(millis(30_000)).evaluate(question(path), NEVER);
    const isDirectory = what.includes('directory');
    assert.deepEqual(answer, { kind: 'untrusted', path: isDirectory ? directory : path, why });
    assert(!existsSync(join(directory, 'executed')));
  });
}

test('root executes nothing through a link to where others may write', { skip: unlessRoot }, async (t) => {
  const [safe, open] = [scratch(t), scratch(t)];
  chmodSync(open, 0o777);
  writeFileSync(join(open, 'app.cfg'), 'x = int("1")\n');
  symlinkSync(join(open, 'app.cfg'), join(safe, 'app.cfg'));
  writeFileSync(join(safe, 'real.cfg'), 'x = int("1")\n');
  symlinkSync(join(safe, 'real.cfg'), join(open, 'real.cfg'));
  for (const path of [join(safe, 'app.cfg'), join(open, 'real.cfg')]) {
    const answer = await pythonWithin(millis(30_000)).evaluate(question(path), NEVER);
    assert.deepEqual(answer, { kind: 'untrusted', path: open, why: 'may be written by everybody' });
  }
});

test("root runs no Python of another user's", { skip: unlessRoot }, async (t) => {
  const bin = join(scratch(t), 'bin');
  mkdirSync(bin);
  symlinkSync(PYTHON, join(bin, 'python'));
  assert.equal(shown(await execute(t, 'start_port = 1', { python: join(bin, 'python') })), 'start_port=int 1@1:14');
  chownSync(bin, NOBODY, NOBODY);
  assert.deepEqual(await execute(t, 'start_port = 1', { python: join(bin, 'python') }), {
    kind: 'untrusted',
    path: bin,
    why: 'belongs to nobody',
  });
});

test('root imports nothing from where others may write, and says so when it is missed', {
  skip: unlessRoot,
}, async (t) => {
  const open = scratch(t);
  writeFileSync(join(open, 'ours.py'), '');
  chownSync(open, NOBODY, NOBODY);
  assert.equal(
    shown(await execute(t, 'import ours', { importsFrom: open })),
    `1 ModuleNotFoundError: No module named 'ours' (${open} belongs to nobody, so nothing is imported from there)`,
  );
  assert.equal(shown(await execute(t, 'start_port = 1', { importsFrom: open })), 'start_port=int 1@1:14');
});

/** What root's Python would find, and what is spoilt; one of nobody's files each time. */
type Plant = (directory: string) => { readonly path: string; readonly more: Partial<PythonQuestion> };
const own = (path: string, uid = NOBODY): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'raise SystemExit("executed")\n');
  chownSync(path, uid, uid);
  return path;
};
const inVenv = (name: string): Plant => {
  return (directory) => {
    mkdirSync(join(directory, 'venv/bin'), { recursive: true });
    symlinkSync(PYTHON, join(directory, 'venv/bin/python'));
    mkdirSync(join(directory, 'venv/lib/python3.11/site-packages'), { recursive: true });
    own(join(directory, 'venv/pyvenv.cfg'), 0);
    return { path: own(join(directory, 'venv', name)), more: { python: join(directory, 'venv/bin/python') } };
  };
};
const LIBRARIES: readonly (readonly [what: string, plant: Plant])[] = [
  ['a virtual environment`s configuration', inVenv('pyvenv.cfg')],
  ['what a virtual environment executes unasked', inVenv('lib/python3.11/site-packages/evil.pth')],
  [
    'a virtual environment`s packages',
    (directory) => {
      const { more } = inVenv('lib/python3.11/site-packages/evil.pth')(directory);
      const path = join(directory, 'venv/lib/python3.11/site-packages');
      chownSync(path, NOBODY, NOBODY);
      return { path, more };
    },
  ],
];
for (const [what, plant] of LIBRARIES) {
  test(`root runs no Python with libraries of another user's: ${what}`, { skip: unlessRoot }, async (t) => {
    const { path, more } = plant(scratch(t));
    const answer = await execute(t, 'start_port = 1', more);
    assert.deepEqual(answer, { kind: 'untrusted', path, why: 'belongs to nobody' });
  });
}

const VARIABLES: readonly (readonly [name: string, entry: string, file: string])[] = [
  ['PYTHONPATH', 'modules', 'modules/sitecustomize.py'],
  ['PYTHONPATH', 'modules', 'modules/app/__pycache__/x.pyc'],
  ['PYTHONPATH', 'modules.zip', 'modules.zip'],
  ['PYTHONHOME', '.', 'lib/python3.11/sitecustomize.py'],
  ['PYTHONPYCACHEPREFIX', 'cache', 'cache'],
];
for (const [name, entry, file] of VARIABLES) {
  test(`root's Python takes nothing of another user's from ${name}: ${file}`, { skip: unlessRoot }, (t) => {
    const directory = scratch(t);
    own(join(directory, 'modules/app/__init__.py'), 0);
    const held = join(directory, entry);
    const others = own(join(directory, file));
    const value = name === 'PYTHONPATH' ? `/nosuch:${held}` : held;
    assert.deepEqual(distrustVariables({ [name]: value }), {
      path: others,
      why: `belongs to nobody, and ${name} holds '${held}'`,
    });
    chownSync(others, 0, 0);
    assert.equal(distrustVariables({ [name]: value }), undefined);
  });
}

test('root`s Python imports nothing from the environment that others may change', { skip: unlessRoot }, (t) => {
  const directory = scratch(t);
  const path = own(join(directory, 'app.cfg'), 0);
  writeFileSync(path, 'start_port = int("1")\n');
  own(join(directory, 'modules/sitecustomize.py'));
  own(join(directory, 'home/.local/lib/python3.11/site-packages/usercustomize.py'), 0);
  const script = `
    const { pythonWithin } = await load('host/python');
    const answer = await pythonWithin(30000).evaluate(given, new Promise(() => undefined));
    say([answer.kind, answer.path ?? '', answer.printed ?? []]);
    process.exit();`;
  const evaluated = (variable: string): unknown =>
    inNode(script, { given: question(path), under: ['/usr/bin/env', variable] });
  const modules = join(directory, 'modules');
  assert.deepEqual(evaluated(`PYTHONPATH=${modules}`), ['untrusted', join(modules, 'sitecustomize.py'), []]);
  assert.deepEqual(evaluated(`HOME=${join(directory, 'home')}`), ['evaluated', '', []]);
});

test('root imports no module of another user`s from a directory of its own', { skip: unlessRoot }, async (t) => {
  const directory = scratch(t);
  own(join(directory, 'package/__init__.py'), 0);
  own(join(directory, 'package/__pycache__/x.pyc'), 0);
  // What nobody imports may be anybody's: a directory of logs, say.
  chownSync(dirname(own(join(directory, 'logs/app.log'))), NOBODY, NOBODY);
  writeFileSync(join(directory, 'ours.py'), 'port = 1\n');
  const text = 'from ours import port as start_port';
  assert.equal(shown(await execute(t, text, { importsFrom: directory })), 'start_port=int 1@1:1');
  for (const name of ['ours.py', 'package', 'package/__init__.py', 'package/__pycache__/x.pyc']) {
    const path = join(directory, name);
    chownSync(path, NOBODY, NOBODY);
    assert.equal(
      shown(await execute(t, text, { importsFrom: directory })),
      `1 ModuleNotFoundError: No module named 'ours' (${path} belongs to nobody, so nothing is imported from there)`,
    );
    chownSync(path, 0, 0);
  }
  for (let file = 0; file <= 10_000; file += 1) writeFileSync(join(directory, `${file}.py`), '');
  assert.match(
    shown(await execute(t, text, { importsFrom: directory })),
    / \(.* holds too many files to be looked at, so nothing is imported from there\)$/,
  );
});

test('other users execute what they like, as themselves', { skip: unlessNobodyCan }, (t) => {
  const directory = scratch(t);
  chmodSync(directory, 0o1777);
  const path = join(directory, 'app.cfg');
  writeFileSync(path, 'import os\nstart_port = os.getuid()\n');
  chownSync(path, NOBODY, NOBODY);
  const script = `
    const { pythonWithin } = await load('host/python');
    const { kind, result } = await pythonWithin(30000).evaluate(given, new Promise(() => undefined));
    say([kind, String(result?.values[0].value.value)]);
    process.exit();`;
  assert.deepEqual(inNode(script, { given: question(path), under: asNobody }), ['evaluated', String(NOBODY)]);
});

// ── the program ─────────────────────────────────────────────────

const whyNot2to3 =
  spawnSync(PYTHON, ['-W', 'ignore', '-c', 'import lib2to3']).status === 0 ? false : 'lib2to3 is not installed here';

test('the program is ASCII, and has the syntax of Python 2 and 3', { skip: whyNot2to3 }, () => {
  assert.match(PROGRAM, /^[\n -~]*$/);
  // Two grammars of lib2to3: one with the statements of Python 2, one in which print and exec are mere names.
  const code = `
import re, sys
from lib2to3 import pygram, pytree
from lib2to3.pgen2 import driver
text = sys.stdin.read()
for grammar in (pygram.python_grammar, pygram.python_grammar_no_print_statement):
    driver.Driver(grammar, convert=pytree.convert).parse_string(text)
compile(text, 'program', 'exec')
assert not re.search('\\\\b[fF]["\\x27]', text)
for late in ('nonlocal ', ':=', 'async ', 'await ', 'yield from', ' -> ', 'raise from', 'print '):
    assert late not in text, late
`;
  const { status, stderr } = spawnSync(PYTHON, ['-W', 'ignore', '-c', code], { input: PROGRAM, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('out of descriptors, no Python, hook or systemctl can be started, and that is told', (t) => {
  const path = join(scratch(t), 'app.cfg');
  writeFileSync(path, 'start_port = int("9000")\n');
  const script = `
    const { closeSync, openSync, readdirSync } = await import('node:fs');
    const { inspect } = await import('node:util');
    const { pythonWithin } = await load('host/python');
    const { hooks } = await load('host/hooks');
    const { serviceManager } = await load('host/service-manager');
    const never = new Promise(() => undefined);
    const acts = [
      () => pythonWithin(9000).evaluate(given, never),
      () => hooks.run(['true'], 9000),
      () => serviceManager.pursue('start', 'no-such.service', 9000, never),
    ];
    for (const act of acts) await act();
    const count = async () => {
      // What is closed is closed a moment later.
      await new Promise((resolve) => setTimeout(resolve, 100));
      return readdirSync('/proc/self/fd').length;
    };
    const before = await count();
    const held = [];
    try { while (true) held.push(openSync('/dev/null')); } catch {}
    const found = [];
    for (let free = 0; free < 16; free += 1) {
      for (const act of acts) found.push(inspect(await act()).includes('EMFILE'));
      closeSync(held.pop());
    }
    for (const fd of held) closeSync(fd);
    say([found, (await count()) - before]);`;
  const under = ['sh', '-c', 'ulimit -n 60; exec "$@"', 'sh'];
  const [told, lost] = inNode(script, { given: question(path), under }) as [readonly boolean[], number];
  assert.deepEqual([told.slice(0, 9), told.slice(-3)], [Array.from({ length: 9 }, () => true), [false, false, false]]);
  assert.equal(lost, 0, 'descriptors that are lost');
});
