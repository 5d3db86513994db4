// What launchers do before they call supervisor(), and how they come to call it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLauncher } from '../../src/config/launcher.ts';
import type { Surroundings } from '../../src/config/python-surroundings.ts';
import { repr } from '../../src/config/python-value.ts';
import { surroundings } from '../support/python-surroundings.ts';

const AROUND: Surroundings = { ...surroundings({ ENV: 'prod', PATH: '/bin' }), path: '/etc/init.d/app' };
const FROM = 'import os, sys\nfrom frontik.server.supervisor import supervisor\n';

// The arguments as name=value, then the effects; or why the launcher is not read.
function read(lines: string, around = AROUND): string {
  const result = readLauncher(new TextEncoder().encode(FROM + lines), (name) => name === 'workers_count', around);
  if (result.kind !== 'read') return `${result.kind} ${result.at.line}:${result.at.col} ${result.text}`;
  const given = [...result.call.arguments].map(([name, { value }]) => `${name}=${repr(value)}`);
  const done = result.effects.map((effect) =>
    effect.kind === 'directory' ? `cd ${effect.path}` : `${effect.name}:${effect.value ?? 'unset'}`,
  );
  return [...given, ...done].join(' ');
}

const CASES: readonly (readonly [lines: string, result: string])[] = [
  // Where it is, and what it is told.
  ['supervisor(os.path.join(os.path.dirname(__file__), "run"))', "script='/etc/init.d/run'"],
  ['supervisor(config="/etc/%s.cfg" % os.environ.get("ENV", "dev"))', "config='/etc/prod.cfg'"],
  ['if os.environ["ENV"] == "prod":\n  n = 8\nelse:\n  n = 1\nsupervisor(workers_count=n)', 'workers_count=8'],
  ['supervisor(os.environ["NO"])', "invalid 3:12 KeyError: 'NO'"],
  // Effects, in their order.
  ['os.chdir("/opt")\nos.chdir("app")\nsupervisor(os.path.abspath("run"))', "script='/opt/app/run' cd /opt cd app"],
  ['os.chdir(os.path.dirname(__file__))\nsupervisor(os.getcwd())', "script='/etc/init.d' cd /etc/init.d"],
  ['os.environ["A"] = "b"\nsupervisor(os.environ["A"])', "script='b' A:b"],
  ['os.environ["PATH"] = "/opt:" + os.environ["PATH"]\nsupervisor("s")', "script='s' PATH:/opt:/bin"],
  ['del os.environ["ENV"]\nos.environ["A"] = ""\nsupervisor("s")', "script='s' ENV:unset A:"],
  ['os.environ.setdefault("ENV", "x")\nos.environ.setdefault("B", "y")\nsupervisor("s")', "script='s' B:y"],
  ['os.environ.pop("ENV", None)\nos.environ.pop("NO", None)\nsupervisor("s")', "script='s' ENV:unset"],
  [
    'script = "s"\nos.chdir("/")',
    'invalid 1:1 supervisor() is imported from frontik.server.supervisor and never called',
  ],
  ['os.chdir()', 'needs-python 3:1 a call of os.chdir'],
  ['os.chdir("")', 'needs-python 3:1 a call of os.chdir'],
  ['os.environ.setdefault("A")\nsupervisor("s")', 'needs-python 3:1 a call of os.environ.setdefault'],
  ['os.environ.update(A="b")', 'needs-python 3:1 a call of os.environ.update'],
  ['os.environ["A"] = len("b")', 'needs-python 3:19 an assignment to an item'],
  ['os.umask(0)', 'needs-python 3:1 a call of os.umask'],
  ['os.putenv("A", "b")', 'needs-python 3:1 a call of os.putenv'],
  ['x = [os.chdir("/")]', 'needs-python 3:6 a call of os.chdir'],
  // What is passed over, and what is not.
  ['sys.path.insert(0, "/opt/lib")\nsys.path.append("x")\nsupervisor("s")', "script='s'"],
  ['import logging\nlogging.basicConfig()\nprint("starting")\nsupervisor("s")', "script='s'"],
  ['sys.argv.insert(1, "--workers_count=3")\nsupervisor("s")', 'needs-python 3:1 a call of sys.argv.insert'],
  ['sys.argv[1] = "x"\nsupervisor("s")', 'needs-python 3:1 an assignment to an item'],
  ['import subprocess\nsubprocess.call("x")\nsupervisor("s")', 'needs-python 4:1 a call of subprocess.call'],
  ['open("/x", "w")\nsupervisor("s")', 'needs-python 3:1 a function call'],
  ['x = open("/x", "w")\nsupervisor("s")', 'needs-python 3:5 a call of open'],
  ['if os.path.exists("/x"): os.chdir("/x")\nsupervisor("s")', 'needs-python 3:1 a function call'],
  ['for x in ("a", "b"): os.environ[x] = "c"\nsupervisor("s")', 'needs-python 3:1 a for statement'],
  ['try: import settings\nexcept ImportError: pass\nsupervisor("s")', 'needs-python 3:1 a try statement'],
  // Functions.
  ['def main():\n  supervisor("s")\nif __name__ == "__main__":\n  main()', "script='s'"],
  ['def main():\n  os.chdir("/opt")\n  name = "s"\n  supervisor(name)\nmain()', "script='s' cd /opt"],
  [
    'def main():\n  if 0: return\n  return supervisor("s")\nmain()',
    'needs-python 5:10 a call of frontik.server.supervisor.supervisor',
  ],
  ['def go():\n  return\n  supervisor("s")\ngo()\nsupervisor("t")', "script='t'"],
  ['name = "s"\ndef main():\n  supervisor(name)\nname = "t"\nmain()', "script='t'"],
  [
    'x = "s"\ndef main():\n  supervisor(x)\n  x = "t"\nmain()',
    'needs-python 5:14 the name x, which is not assigned here',
  ],
  ['def main(name):\n  supervisor(name)\nmain("s")', 'needs-python 5:1 a call of main'],
  ['def main():\n  go()\ndef go():\n  supervisor("s")\nmain()', 'needs-python 4:3 a call of go'],
  [
    'def main():\n  supervisor("s")',
    'invalid 1:1 supervisor() is imported from frontik.server.supervisor and never called',
  ],
  ['class Main: pass\nsupervisor("s")', "script='s'"],
  // Arguments from a dict.
  ['supervisor(**dict(script="s", config="c"))', "script='s' config='c'"],
  ['supervisor(**{"script": "s", "config": "c"})', "script='s' config='c'"],
  ['opts = {"script": "s"}\nsupervisor(config="c", **opts)', "config='c' script='s'"],
  [
    'opts = dict(script="s")\nsupervisor("t", **opts)',
    "invalid 4:17 TypeError: supervisor() got multiple values for argument 'script'",
  ],
  [
    'opts = dict(port=1)\nsupervisor(**opts)',
    "invalid 4:12 TypeError: supervisor() got an unexpected keyword argument 'port'",
  ],
  ['opts = dict(script="s")\nopts["config"] = "c"\nsupervisor(**opts)', 'needs-python 5:12 an unpacking of arguments'],
  [
    'opts = dict(script="s")\nopts.update(config="c")\nsupervisor(**opts)',
    'needs-python 5:12 an unpacking of arguments',
  ],
  ['opts = dict({"script": "s"})\nsupervisor(**opts)', 'needs-python 4:12 an unpacking of arguments'],
  ['opts = dict(**{"script": "s"})\nsupervisor(**opts)', 'needs-python 4:12 an unpacking of arguments'],
  ['opts = {1: 2}\nsupervisor(**opts)', 'needs-python 4:12 an unpacking of arguments'],
];

for (const [lines, result] of CASES) {
  test(`${JSON.stringify(lines)}: ${result}`, () => assert.equal(read(lines), result));
}

test('a launcher that is called by a relative path', () => {
  const around = { ...AROUND, path: './app' };
  assert.equal(read('supervisor(os.path.dirname(os.path.abspath(__file__)))', around), "script='/srv'");
  assert.equal(read('supervisor(os.path.dirname(__file__))', around), 'needs-python 3:28 the built-in name __file__');
  // Python 3.9 remembers where it started, older ones do not.
  assert.equal(
    read('os.chdir("/")\nsupervisor(os.path.abspath(__file__))', around),
    'needs-python 4:28 the built-in name __file__',
  );
});
