// Errors of the operating system: the codes that are expected where they occur; everything else is a bug and thrown on.

/** The errno name of a system error, or undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : undefined;
}

/** Runs `call`; a system error is handed to `otherwise`, anything else is thrown on. */
export function orElse<T>(call: () => T, otherwise: (code: string) => T): T {
  try {
    return call();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return otherwise(code);
  }
}
