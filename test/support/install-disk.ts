// The system's own directories on a simulated machine: what is where, and what was run.

import type { HookFailure, Installation, Obstacle, Place, Result } from '../../src/host/host.ts';

/** Fails the operations that a test names: `write /etc/init.d/app`, `run update-rc.d app defaults`. */
export type Failing = (operation: string) => boolean;

export const BINARY = '/opt/frontik-supervisor';
export const GENERATOR = '/usr/lib/systemd/system-generators/frontik-supervisor-generator';

export const DIRECTORY: Place = { kind: 'directory' };

export class Disk implements Installation {
  readonly places: Map<string, Place>;
  readonly ran: string[] = [];
  readonly binary: string;
  failing: Failing = () => false;

  constructor(places: Readonly<Record<string, Place>> = {}, binary: string = BINARY) {
    this.places = new Map(Object.entries(places));
    this.binary = binary;
  }

  look(path: string): Place {
    return this.places.get(path) ?? { kind: 'free' };
  }

  find(word: string): string | undefined {
    return word === 'nowhere' ? undefined : `/usr/bin/${word}`;
  }

  write(path: string, text: string, mode: number): Obstacle | undefined {
    return this.#change(`write ${path}`, path, { kind: 'file', text, mode });
  }

  link(path: string, target: string): Obstacle | undefined {
    return this.#change(`link ${path}`, path, { kind: 'link', target });
  }

  remove(path: string): Obstacle | undefined {
    return this.#change(`remove ${path}`, path, { kind: 'free' });
  }

  async run(words: readonly [program: string, ...args: string[]]): Promise<Result<undefined, HookFailure>> {
    const line = words.join(' ');
    this.ran.push(line);
    const error = { how: 'exited with status 1', words: ['no, thanks'] };
    return this.failing(`run ${line}`) ? { ok: false, error } : { ok: true, value: undefined };
  }

  /** What is there now, of everything that can be looked at. */
  get state(): Readonly<Record<string, Place>> {
    return Object.fromEntries([...this.places].toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }

  /** The text of a file. */
  text(path: string): string {
    const place = this.look(path);
    return place.kind === 'file' ? place.text : '';
  }

  #change(operation: string, path: string, place: Place): Obstacle | undefined {
    if (this.failing(operation)) return { path, code: 'EIO' };
    if (place.kind === 'free') this.places.delete(path);
    else this.places.set(path, place);
    return undefined;
  }
}
