// Where files of the tests are executed.

import type { Surroundings } from '../../src/config/python-surroundings.ts';

/** The file /etc/app/app.cfg, named by that path in /srv, with these variables and nothing else. */
export function surroundings(variables: Readonly<Record<string, string>> = {}): Surroundings {
  return {
    environ: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    path: '/etc/app/app.cfg',
    directory: '/srv',
    realpath: (path) => path,
  };
}
