// Names: Python Language Reference 2.3 and 4.2.

import type { Cursor } from './python-cursor.ts';
import { PYTHON_2 } from './python-source.ts';

// With these an expression can change the names of the file behind our back; `__debug__` cannot be assigned to.
const REACHES_NAMES: ReadonlySet<string> = new Set(
  '__builtins__ __debug__ __import__ eval exec execfile func_globals globals locals setattr vars f_globals f_locals _getframe'.split(
    ' ',
  ),
);

// The built-in names of Python 2.7 and of every Python 3: a name that is neither here nor assigned is a mistake.
const BUILT_IN: ReadonlySet<string> = new Set(
  (
    'abs aiter all anext any apply ArithmeticError ascii AssertionError AttributeError BaseException ' +
    'BaseExceptionGroup basestring bin BlockingIOError bool breakpoint BrokenPipeError buffer BufferError ' +
    'bytearray bytes BytesWarning callable ChildProcessError chr classmethod cmp coerce compile complex ' +
    'ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError copyright credits ' +
    'delattr DeprecationWarning dict dir divmod Ellipsis EncodingWarning enumerate EnvironmentError EOFError ' +
    'eval Exception ExceptionGroup exec execfile exit file FileExistsError FileNotFoundError filter float ' +
    'FloatingPointError format frozenset FutureWarning GeneratorExit getattr globals hasattr hash help hex id ' +
    'ImportError ImportWarning IndentationError IndexError input int intern InterruptedError IOError ' +
    'IsADirectoryError isinstance issubclass iter KeyboardInterrupt KeyError len license list locals long ' +
    'LookupError map max MemoryError memoryview min ModuleNotFoundError NameError next NotADirectoryError ' +
    'NotImplemented NotImplementedError object oct open ord OSError OverflowError PendingDeprecationWarning ' +
    'PermissionError pow print ProcessLookupError property PythonFinalizationError quit range raw_input ' +
    'RecursionError reduce ReferenceError reload repr ResourceWarning reversed round RuntimeError RuntimeWarning ' +
    'set setattr slice sorted StandardError staticmethod StopAsyncIteration StopIteration str sum super ' +
    'SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError tuple type TypeError ' +
    'UnboundLocalError unichr unicode UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError ' +
    'UnicodeWarning UserWarning ValueError vars Warning WindowsError xrange ZeroDivisionError zip'
  ).split(' '),
);

/** Whether a name has a value before anything is assigned. Which one, only a running Python can tell. */
export function isPredefined(name: string): boolean {
  return BUILT_IN.has(name) || /^__.*__$/.test(name);
}

/** A name that is bound or looked up, unless it is a keyword. */
export function readName(c: Cursor): string | undefined {
  const { kind, text, at } = c.token;
  if (kind !== 'name') return c.refuse();
  if (text === 'exec' && c.peek().text !== '(') return c.leaveToPython(at, PYTHON_2);
  if (REACHES_NAMES.has(text)) return c.leaveToPython(at, text);
  c.next();
  return text;
}
