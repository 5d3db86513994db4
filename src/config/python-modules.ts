// What modules and built-in functions may do to the process that imports or calls them.

// Modules of the standard library that leave the environment, the directory and the built-in names as they are.
const HARMLESS =
  ' __future__ base64 codecs collections copy datetime decimal errno fractions getpass grp hashlib ' +
  'json logging math multiprocessing platform pwd random re socket stat string struct textwrap time ' +
  'types typing urllib urlparse uuid warnings ';

/** Whether importing a module changes nothing that is looked at here. */
export function isHarmlessImport(module: string): boolean {
  const top = module.split('.', 1)[0] ?? module;
  return top !== '' && (HARMLESS.includes(` ${top} `) || top === 'os' || top === 'sys');
}

/** Whether a module is of those that a launcher or a configuration is for; they may make new built-in names. */
export function isOwnImport(module: string): boolean {
  const top = module.split('.', 1)[0] ?? module;
  return top === 'frontik' || top === 'tornado' || top === 'tornado_util';
}

/** Whether nothing in a module changes anything that is looked at here, when it is called. */
export function isHarmlessModule(top: string): boolean {
  return HARMLESS.includes(` ${top} `);
}

/** Whether a function of `os` or `sys` only looks, or changes no more than where modules are found. */
export function isHarmlessSystemCall(path: string): boolean {
  if (path.startsWith('os.path.')) return true;
  return (
    ' os.access os.cpu_count os.environ.copy os.environ.get os.environ.items os.environ.keys os.environ.values os.getcwd ' +
    'os.getegid os.getenv os.geteuid os.getgid os.getloadavg os.getlogin os.getpid os.getppid os.getuid os.listdir os.lstat ' +
    'os.stat os.strerror os.sysconf os.uname os.urandom sys.getdefaultencoding sys.getfilesystemencoding ' +
    'sys.getrecursionlimit sys.getsizeof sys.path.append sys.path.extend sys.path.insert sys.path.remove '
  ).includes(` ${path} `);
}

/** Whether a built-in function calls nothing else and ends nothing. */
export function isHarmlessBuiltIn(name: string): boolean {
  return (
    ' abs all any ascii basestring bin bool bytearray bytes callable chr complex dict divmod enumerate float format ' +
    'frozenset hash hex id int isinstance issubclass iter len list long max min object oct ord pow print property range ' +
    'repr reversed round set slice str sum tuple type unichr unicode xrange zip '
  ).includes(` ${name} `);
}

/** Whether a built-in function ends the program or waits for a person. */
export function isEndingBuiltIn(name: string): boolean {
  return ' breakpoint exit input quit raw_input '.includes(` ${name} `);
}

/** Whether a method changes the list, dict or set it is called on, and no more. */
export function isContainerMethod(name: string): boolean {
  return ' add append clear discard extend insert reverse setdefault sort update '.includes(` ${name} `);
}
