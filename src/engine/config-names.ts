// The names under which processes may know our configuration: an absolute path, its target, a link to it.

import type { Application } from '../core/application.ts';
import { argumentsNamed, parseMarker, seenFrom } from '../core/identity.ts';
import type { ProcessSight } from '../core/worker.ts';
import type { Files } from '../host/host.ts';

/** Learns names from the processes that are seen. What a path leads to is looked up once a command. */
export class ConfigNames {
  readonly #config: string;
  readonly #files: Files;
  readonly #ours: Set<string>;
  readonly #others = new Set<string>();

  constructor({ config, configPath }: Application, files: Files) {
    this.#config = config;
    this.#files = files;
    this.#ours = new Set([configPath, files.target(configPath)]);
  }

  /** All paths that are our configuration, as far as they are known. */
  get paths(): ReadonlySet<string> {
    return this.#ours;
  }

  /** Looks at the paths in the markers and command lines of processes. */
  learn(processes: readonly ProcessSight[]): void {
    for (const { marker, argv, cwd } of processes) {
      const marked = marker === undefined ? undefined : parseMarker(marker)?.path;
      // What we launched may have been given another name of it than the marker has.
      const given = marked === undefined ? argv.filter((word) => word === `--config=${this.#config}`) : argv;
      const seen = argumentsNamed('config', given).map((path) => seenFrom(cwd, path));
      for (const path of [marked, ...seen]) if (path !== undefined) this.#learnPath(path);
    }
  }

  #learnPath(path: string): void {
    if (this.#ours.has(path) || this.#others.has(path)) return;
    const isOurs = this.#ours.has(this.#files.target(path));
    (isOurs ? this.#ours : this.#others).add(path);
  }
}
