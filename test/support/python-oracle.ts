// What a real CPython makes of a file.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { ConfigRead } from '../../src/config/config-file.ts';
import { type PyValue, repr, type Unread } from '../../src/config/python-value.ts';

// Executes what the reader says it has read, statement by statement: a statement that raises makes its names unusable,
// as the reader makes them unknown. What the reader finds invalid is compiled, and a NameError must happen where it says.
const ORACLE = `
import ast, base64, io, json, os, resource, signal, sys, warnings
answers_go_to, sys.stdout = sys.stdout, io.StringIO()
warnings.simplefilter('ignore')
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
sys.setrecursionlimit(1000)

class Unusable: pass

def encode(value):
    kind = type(value).__name__
    if kind in ('list', 'tuple'): return [kind, [encode(item) for item in value]]
    if kind in ('set', 'dict'): return [kind, None]
    if kind == 'bytes': return [kind, value.decode('latin-1')]
    return [kind, value if kind == 'str' else repr(value)]

INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

def bound(node):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)): return [node.name]
    if isinstance(node, INNER): return []
    if isinstance(node, ast.Name): return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.alias): return [(node.asname or node.name).split('.')[0]]
    names = [node.name] if isinstance(node, ast.ExceptHandler) and node.name else []
    return names + [name for child in ast.iter_child_nodes(node) for name in bound(child)]

def late(signum, frame): raise TimeoutError

def begin():
    os.environ.clear()
    os.environ.update(given['variables'])
    os.chdir(given['directory'])
    return {'__file__': given['path']}

def follow(code):
    scope = begin()
    follow_all(ast.parse(code).body, scope)
    return scope

def follow_all(statements, scope):
    for statement in statements:
        if isinstance(statement, ast.If):
            try: truth = bool(eval(compile(ast.Expression(statement.test), 'file', 'eval', dont_inherit=True), scope))
            except BaseException:
                for name in bound(statement): scope[name] = Unusable()
            else: follow_all(statement.body if truth else statement.orelse, scope)
            continue
        # The annotation comes after the value is stored, and is not what this is about.
        if isinstance(statement, ast.AnnAssign):
            if statement.value is None: continue
            statement = ast.copy_location(ast.Assign([statement.target], statement.value), statement)
        signal.setitimer(signal.ITIMER_REAL, 1)
        try: exec(compile(ast.Module([statement], []), 'file', 'exec', dont_inherit=True), scope)
        except BaseException:
            for name in bound(statement): scope[name] = Unusable()
        signal.setitimer(signal.ITIMER_REAL, 0)

def raised(code):
    try: exec(compile(code, 'file', 'exec', dont_inherit=True), begin())
    except BaseException as error:
        trace, line = error.__traceback__, 0
        while trace:
            if trace.tb_frame.f_code.co_filename == 'file': line = trace.tb_lineno
            trace = trace.tb_next
        return [type(error).__name__, line]
    return ['nothing', 0]

signal.signal(signal.SIGALRM, late)
answers = []
given = json.load(sys.stdin)
for item in given['questions']:
    code = base64.b64decode(item['code'])
    answer = {}
    answers.append(answer)
    try: compile(code, 'file', 'exec', dont_inherit=True)
    except SyntaxError as error: answer['refused'] = [type(error).__name__, error.lineno, error.msg, error.offset]
    except (ValueError, RecursionError, MemoryError, OverflowError) as error: answer['refused'] = [type(error).__name__, 0, str(error), 0]
    else:
        if item['kind'] == 'read':
            scope = follow(code)
            answer['values'] = {name: encode(scope[name]) for name in item['names'] if name in scope and not isinstance(scope[name], Unusable)}
        elif item['raises']: answer['raised'] = raised(code)
json.dump(answers, answers_go_to)
`;

/** What CPython says: why it does not compile the file, the names' values after it, or what executing it raised. */
export interface Answer {
  readonly refused?: readonly [type: string, line: number | null, message: string, offset: number];
  readonly values?: Readonly<Record<string, unknown>>;
  readonly raised?: readonly [type: string, line: number];
}

type Encoded = readonly [kind: string, value: unknown];

/** A value in a form that both sides can write. */
export function encode(value: PyValue): Encoded {
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return [value.kind, value.items.map(encode)];
    case 'set':
    case 'dict':
      return [value.kind, null];
    case 'str':
    case 'bytes':
      return [value.kind, value.value];
    case 'none':
      return ['NoneType', 'None'];
    default:
      return [value.kind, value.kind === 'int' ? value.value.toString() : repr(value)];
  }
}

/** Where the files are executed. */
export interface Around {
  readonly variables: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly path: string;
}

/** Shows all files to one Python. */
export function ask(
  items: readonly { readonly code: Uint8Array; readonly result: ConfigRead | Unread }[],
  names: readonly string[],
  around: Around,
): readonly Answer[] {
  const questions = items.map(({ code, result }) => ({
    code: Buffer.from(code).toString('base64'),
    kind: result.kind,
    raises: result.kind === 'invalid' && /^(?:Name|Key|Value)Error/.test(result.text),
    names,
  }));
  const { stdout, stderr, status } = spawnSync('/usr/bin/python3', ['-I', '-c', ORACLE], {
    input: JSON.stringify({ ...around, questions }),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as readonly Answer[];
}
