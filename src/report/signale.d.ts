// @types/signale describes the package's main module, which reads package.json upwards from the current directory as
// soon as it is imported. Only the class in signale/signale.js does not, and of it only what console.ts uses is here.
declare module 'signale/signale.js' {
  export default class Signale {
    constructor(options: {
      readonly config: Readonly<Record<string, boolean>>;
      readonly stream: { write(text: string): void };
      readonly types: Readonly<Record<string, never>>;
    });
    /** What a package.json says; read by the constructor. */
    get packageConfiguration(): Record<string, boolean>;
    log(message: { readonly prefix: string; readonly message: string }): void;
  }
}
