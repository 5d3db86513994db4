// What a Python would execute before, or beside, the file that it is given. Root lets none of it be what others may change.

import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { orElse } from './errno.ts';
import { parentOf } from './parent.ts';
import { type Distrust, distrust, distrustOf } from './trust.ts';

/** More is no place for the modules of a launcher; to look at so many takes a tenth of a second. */
const MOST_MODULES = 10_000;
/** What is imported by its name, and what `site` executes by itself. */
const MODULE = /\.(py|pyc|pyo|so|pth|zip|egg)$/;

/** Its owner decides what it executes, and that of its libraries or virtual environment what it imports before all else. */
export function distrustInterpreter(path: string): Distrust | undefined {
  const real = orElse<string>(
    () => realpathSync(path),
    () => path,
  );
  const places = [...new Set([parentOf(path), parentOf(real)])];
  return distrust(path) ?? first(places, (bin) => distrust(`${bin}/pyvenv.cfg`) ?? distrustLibraries(parentOf(bin)));
}

/** What the environment makes every Python execute: python(1), "ENVIRONMENT VARIABLES". */
export function distrustVariables(environment: Readonly<Record<string, string | undefined>>): Distrust | undefined {
  const ways = {
    PYTHONHOME: distrustLibraries,
    PYTHONPATH: distrustModules,
    PYTHONPYCACHEPREFIX: distrust,
  };
  return first(Object.entries(ways), ([name, look]) => {
    const value = environment[name] ?? '';
    const entries = value === '' ? [] : value.split(':');
    return first(entries, (entry) => {
      const found = look(entry === '' ? '.' : entry);
      return found === undefined ? undefined : { ...found, why: `${found.why}, and ${name} holds '${entry}'` };
    });
  });
}

/** What stands below a Python's home, its directory above bin: venv, and "Site-specific configuration hook" of Python. */
function distrustLibraries(home: string): Distrust | undefined {
  const versions = namesIn(`${home}/lib`).filter((name) => name.startsWith('python'));
  const directories = versions.flatMap((version) =>
    ['', '/site-packages', '/dist-packages'].map((packages) => `${home}/lib/${version}${packages}`),
  );
  return distrust(`${home}/pyvenv.cfg`) ?? distrust(`${home}/lib`) ?? first(directories, distrustShallow);
}

/** A directory, and what of it `site` executes unasked. */
function distrustShallow(directory: string): Distrust | undefined {
  const unasked = namesIn(directory).filter((name) => /\.pth$|^(site|user)customize\b/.test(name));
  return distrust(directory) ?? first(unasked, (name) => distrust(`${directory}/${name}`));
}

/** A directory to import from, with its modules and packages. What else lies in it is imported by nobody. */
export function distrustModules(directory: string): Distrust | undefined {
  const packages = [directory];
  let seen = 0;
  for (const at of packages) {
    const found = distrust(at);
    if (found !== undefined) return found;
    for (const name of namesIn(at)) {
      seen += 1;
      if (seen > MOST_MODULES) return { path: directory, why: 'holds too many files to be looked at' };
      const path = `${at}/${name}`;
      if (name === '__pycache__' || existsSync(`${path}/__init__.py`)) packages.push(path);
      const spoilt = MODULE.test(name) ? distrustEntry(path) : undefined;
      if (spoilt !== undefined) return spoilt;
    }
  }
  return undefined;
}

/** As `distrust`, in a directory that is trusted. */
function distrustEntry(path: string): Distrust | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return stat.isSymbolicLink() ? distrust(path) : distrustOf(path, stat);
}

function namesIn(directory: string): readonly string[] {
  return orElse<readonly string[]>(
    () => (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(directory) : []),
    () => [], // what root cannot read, its Python cannot either
  );
}

function first<T>(items: readonly T[], look: (item: T) => Distrust | undefined): Distrust | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
