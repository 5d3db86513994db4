// What a Python executes to evaluate one file. It has only the syntax that Python 2.7 and 3 share, is pure ASCII, and a
// backslash stands for itself.

/** The program behind `python -c`. Descriptor 3 gives it the question, as JSON up to the end, and takes the answer. */
export const PROGRAM: string = String.raw`
# Executes one configuration file or launcher, and tells what came of it.
import sys
# "python -c" looks for modules in the working directory first: a json.py that lies there is not ours.
if sys.path and sys.path[0] == '':
    del sys.path[0]
import ast, base64, fcntl, json, os, types
try:
    import builtins
except ImportError:
    import __builtin__ as builtins

CHANNEL = 3
OWN_PID = os.getpid()
TEXT = type(u'')
INTEGERS = (int, type(sys.maxsize + 1))
PARAMETERS = ('script', 'config', 'app')
SUPERVISORS = (
    'frontik.server.supervisor',
    'frontik.launcher.supervisor',
    'tornado_util.supervisor',
    'tornado.server.supervisor',
)


def receive():
    parts = []
    while True:
        part = os.read(CHANNEL, 65536)
        if not part:
            return json.loads(b''.join(parts).decode('utf-8'))
        parts.append(part)


def finish(answer):
    # Threads, atexit and finally clauses are the file's own affair: the original was never left either.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            continue
    # A child that the file has forked, and that came this far, has nothing to tell.
    if os.getpid() == OWN_PID:
        data = json.dumps(answer).encode('ascii')
        sent = 0
        while sent < len(data):
            sent += os.write(CHANNEL, data[sent:sent + 1048576])
    os._exit(0)


def native(text):
    return text if str is TEXT else text.encode('utf-8')


def text_of(value):
    if isinstance(value, TEXT):
        return value
    try:
        return value.decode('utf-8')
    except UnicodeDecodeError:
        return value.decode('latin-1')


def shown(value):
    try:
        return text_of(repr(value))[:200]
    except Exception:
        return u'...'


def message_of(error):
    try:
        return text_of(str(error))
    except Exception:
        return shown(error)


def described(value):
    if value is None:
        return {'kind': 'none'}
    if value is True or value is False:
        return {'kind': 'bool', 'value': bool(value)}
    if isinstance(value, INTEGERS):
        # In hexadecimal: from 3.11 on Python refuses to write long numbers in decimal.
        return {'kind': 'int', 'value': '%x' % value}
    if isinstance(value, float):
        return {'kind': 'float', 'value': float.__repr__(value)}
    if isinstance(value, (str, TEXT)):
        return {'kind': 'str', 'value': text_of(value)}
    return {'kind': 'object', 'type': text_of(type(value).__name__), 'repr': shown(value)}


class Places(object):
    """Where the file assigns its names; of several places the last one that was executed counts."""

    def __init__(self, tree, source):
        self.lines = source.split(b'\n')
        self.executed = set()
        self.bound = {}
        self.annotated = {}
        self.calls = []
        pending = [tree]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Call):
                self.calls.append(node)
            self.see(node)
            pending.extend(ast.iter_child_nodes(node))

    def see(self, node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.bind(target, node.value)
        elif isinstance(node, getattr(ast, 'AnnAssign', ())) and node.value is None:
            if isinstance(node.target, ast.Name):
                self.annotated.setdefault(node.target.id, node)
        elif hasattr(node, 'target') and hasattr(node, 'lineno'):
            self.bind(node.target, getattr(node, 'value', node))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                self.add((alias.asname or alias.name).split('.')[0], node)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            self.add(node.name, node)

    def bind(self, target, value):
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = getattr(value, 'elts', [])
            is_pair = len(parts) == len(target.elts) and not any(type(part).__name__ == 'Starred' for part in parts)
            for index, inner in enumerate(target.elts):
                self.bind(inner, parts[index] if is_pair else value)
        elif isinstance(target, ast.Name):
            self.add(target.id, value)
        elif type(target).__name__ == 'Starred':
            self.bind(target.value, value)

    def add(self, name, node):
        self.bound.setdefault(name, []).append(node)

    def trace(self, filename):
        def inside(frame, event, argument):
            self.executed.add(frame.f_lineno)
            return inside

        def enter(frame, event, argument):
            code = frame.f_code
            return inside if code.co_name == '<module>' and code.co_filename == filename else None

        sys.settrace(enter)

    def of(self, node):
        # Columns of ast count the bytes of UTF-8; people count characters. Before 3.8 long strings have none.
        line = self.lines[node.lineno - 1] if node.lineno <= len(self.lines) else b''
        return [node.lineno, len(line[:max(node.col_offset, 0)].decode('utf-8', 'replace')) + 1]

    def was_executed(self, node):
        return any(getattr(part, 'lineno', 0) in self.executed for part in ast.walk(node))

    def of_name(self, name):
        nodes = sorted(self.bound.get(name, []), key=lambda node: (node.lineno, node.col_offset))
        executed = [node for node in nodes if self.was_executed(node)]
        return self.of((executed or nodes)[-1]) if nodes else [1, 1]

    def of_argument(self, name, line):
        """The value of an argument of the call that is executed at a line."""
        for call in sorted(self.calls, key=lambda node: (node.lineno, node.col_offset), reverse=True):
            if not any(getattr(part, 'lineno', 0) == line for part in ast.walk(call)):
                continue
            for keyword in call.keywords:
                if keyword.arg == name:
                    return self.of(keyword.value)
            index = PARAMETERS.index(name) if name in PARAMETERS else len(call.args)
            if index < len(call.args) and type(call.args[index]).__name__ != 'Starred':
                return self.of(call.args[index])
        return [line, 1]


def line_in(traceback, filename):
    """The innermost line of the file itself that an exception came through."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


class Changes(object):
    """What the file did to the process: its directory and its environment, which workers inherit."""

    def __init__(self):
        self.directory = self.cwd()
        self.environment = dict(os.environ)

    def cwd(self):
        try:
            return os.getcwd()
        except OSError:
            return None

    def effects(self):
        effects = []
        directory = self.cwd()
        if directory is not None and directory != self.directory:
            effects.append({'kind': 'directory', 'path': text_of(directory)})
        now = dict(os.environ)
        for name in sorted(set(now) | set(self.environment)):
            if now.get(name) == self.environment.get(name):
                continue
            effect = {'kind': 'variable', 'name': text_of(name)}
            if name in now:
                effect['value'] = text_of(now[name])
            effects.append(effect)
        return effects


def check_encoding(source):
    # What compile() lets pass in comments, a file that is run may not hold: PEP 263.
    try:
        source.decode('utf-8')
    except UnicodeDecodeError:
        if str is TEXT:
            import io, tokenize
            source.decode(tokenize.detect_encoding(io.BytesIO(source).readline)[0])


def execute(code, scope):
    # Apart: before 2.7.9 no function that holds others may do this.
    exec(code, scope)


def main():
    fcntl.fcntl(CHANNEL, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    question = receive()
    source = base64.b64decode(question['source'])
    if source.startswith(b'\xef\xbb\xbf'):
        source = source[3:]
    filename = native(question['path'])
    # What Python itself and tornado.options make of a path; the original launchers of older Pythons had it as it was.
    if question['kind'] == 'config' or sys.version_info >= (3, 9):
        filename = os.path.abspath(filename)
    names = set(native(name) for name in question['names'])
    sys.argv[:] = [native(word) for word in question['argv']]
    if question['importsFrom'] is not None:
        sys.path.insert(0, native(question['importsFrom']))
    places = None
    try:
        check_encoding(source)
        code = compile(source, filename, 'exec', 0, True)
        places = Places(ast.parse(source, filename), source)
    except BaseException as error:
        line = getattr(error, 'lineno', None)
        message = getattr(error, 'msg', None) or message_of(error)
        answer = {'kind': 'raised', 'text': '%s: %s' % (type(error).__name__, text_of(message)), 'line': line or 1}
        if line and getattr(error, 'offset', None):
            answer['col'] = max(error.offset, 1)
        finish(answer)
    changes = Changes()
    imported = []

    def told(values, at, module):
        sys.settrace(None)
        finish({
            'kind': 'evaluated',
            'values': [
                {'name': name, 'value': described(value), 'at': at(name)} for name, value in sorted(values.items())
            ],
            'unset': [
                {'name': name, 'at': places.of(node)}
                for name, node in sorted(places.annotated.items()) if name in names and name not in values
            ],
            'called': module,
            'imported': imported[0] if imported else None,
            'effects': changes.effects(),
            'argv': [text_of(word) for word in sys.argv if isinstance(word, (str, TEXT))],
        })

    def supervisor_of(module):
        def supervisor(*positional, **named):
            if len(positional) > len(PARAMETERS):
                raise TypeError('supervisor() takes script, config and app, and no more by position')
            given = dict(zip(PARAMETERS, positional))
            for name, value in named.items():
                if name in given:
                    raise TypeError("supervisor() got multiple values for argument '%s'" % name)
                if name not in names:
                    raise TypeError("supervisor() got an unexpected keyword argument '%s'" % name)
                given[name] = value
            frame = sys._getframe(1)
            while frame.f_back is not None and frame.f_code.co_filename != filename:
                frame = frame.f_back
            told(given, lambda name: places.of_argument(name, frame.f_lineno), module)
        return supervisor

    def stub(path):
        """A module that stands for one of the supervisors; real packages around it stay what they are."""
        module = types.ModuleType(path)
        module.supervisor = supervisor_of(path)
        module.__package__ = path.rpartition('.')[0]
        sys.modules[path] = module
        return module

    real_import = builtins.__import__

    def package(path):
        if path in sys.modules:
            return sys.modules[path]
        try:
            real_import(path)
        except Exception:
            module = types.ModuleType(path)
            module.__path__ = []
            sys.modules[path] = module
            above, _, last = path.rpartition('.')
            if above:
                setattr(package(above), last, module)
        return sys.modules[path]

    def import_stubs(name, *rest, **more):
        wanted = [name] + ['%s.%s' % (name, part) for part in (rest[2] if len(rest) > 2 else more.get('fromlist')) or ()]
        for path in SUPERVISORS:
            if path in wanted:
                imported.append(path)
                above, _, last = path.rpartition('.')
                setattr(package(above), last, sys.modules[path])
        return real_import(name, *rest, **more)

    if question['kind'] == 'launcher':
        for path in SUPERVISORS:
            stub(path)
        builtins.__import__ = import_stubs
        module = types.ModuleType('__main__')
        module.__file__ = filename
        module.__builtins__ = builtins
        # Python 2 empties a module that nobody refers to any more: this one is still needed.
        keep.append(sys.modules['__main__'])
        sys.modules['__main__'] = module
        scope = module.__dict__
    else:
        # What tornado.options.parse_config_file gives the file.
        scope = {'__file__': filename}
    try:
        places.trace(filename)
        execute(code, scope)
    except BaseException as error:
        sys.settrace(None)
        line = line_in(sys.exc_info()[2], filename)
        text = '%s: %s' % (type(error).__name__, message_of(error))
        finish({'kind': 'raised', 'text': text, 'line': line or 1, 'isImport': isinstance(error, ImportError)})
    values = {}
    for name, value in list(scope.items()):
        # To tornado.options dashes and underscores are the same.
        if isinstance(name, str) and name.replace('-', '_') in names:
            values[name.replace('-', '_')] = value
    told(values, places.of_name, None)


keep = []
try:
    main()
except BaseException as failure:
    finish({'kind': 'raised', 'text': '%s: %s' % (type(failure).__name__, message_of(failure)), 'line': 1})
`;
