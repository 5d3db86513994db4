/**
 * What a file can learn about the place where it is executed. Programs, users and the clock are missing on purpose: what
 * asks for them is left to a real Python.
 */
export interface Surroundings {
  /** A variable of the environment that Python was started with. */
  readonly environ: (name: string) => string | undefined;
  /** The path of the file, as it was given. */
  readonly path: string;
  /** The working directory, absolute; undefined when it has been removed. */
  readonly directory: string | undefined;
  /** Where an absolute path leads in the end. */
  readonly realpath: (path: string) => string;
}
