// What the parser makes of a file. Offsets stand for places; what is neither needed nor executed here has no parts.

import type { PyValue } from './python-value.ts';

/** An expression. `opaque` is one whose syntax is sound and whose value only a running Python has. */
export type Expr =
  | { readonly kind: 'constant'; readonly at: number; readonly value: PyValue }
  | { readonly kind: 'name'; readonly at: number; readonly name: string }
  | { readonly kind: 'sequence'; readonly at: number; readonly type: 'list' | 'tuple'; readonly items: readonly Expr[] }
  | {
      readonly kind: 'hashed';
      readonly at: number;
      readonly type: 'set' | 'dict';
      readonly keys: readonly Expr[];
      readonly values: readonly Expr[];
    }
  | { readonly kind: 'starred'; readonly at: number; readonly of: Expr }
  | { readonly kind: 'unary'; readonly at: number; readonly operator: string; readonly of: Expr }
  | {
      readonly kind: 'binary';
      readonly at: number;
      readonly operator: string;
      readonly left: Expr;
      readonly right: Expr;
    }
  | { readonly kind: 'attribute'; readonly at: number; readonly of: Expr; readonly name: string }
  | { readonly kind: 'call'; readonly at: number; readonly callee: Expr; readonly arguments: readonly Argument[] }
  | { readonly kind: 'subscript'; readonly at: number }
  | { readonly kind: 'opaque'; readonly at: number; readonly what: string };

/** An argument of a call: `name` for a keyword, `*` or `**` for an unpacking, '' for one that goes by its position. */
export interface Argument {
  readonly name: string;
  readonly at: number;
  readonly value: Expr;
}

/** What an assignment gives values to. `opaque`: a name that takes what is left over, `*rest`. */
export type Target =
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'starred'; readonly of: Target }
  | { readonly kind: 'sequence'; readonly items: readonly Target[] };

/** A name that an import binds, and the dotted name of what it is then. */
export interface Imported {
  readonly name: string;
  readonly path: string;
}

/** A statement that reading goes on after; the others end it (Python Language Reference 7 and 8). */
export type Statement =
  | { readonly kind: 'pass'; readonly at: number }
  | { readonly kind: 'expression'; readonly at: number; readonly value: Expr }
  | { readonly kind: 'assignment'; readonly at: number; readonly targets: readonly Target[]; readonly value: Expr }
  | {
      readonly kind: 'augmented';
      readonly at: number;
      readonly name: string;
      readonly operator: string;
      readonly value: Expr;
    }
  | {
      readonly kind: 'annotated';
      readonly at: number;
      readonly name: string;
      readonly annotation: Expr;
      readonly value: Expr | undefined;
    }
  | {
      readonly kind: 'import';
      readonly at: number;
      readonly modules: readonly string[];
      readonly binds: readonly Imported[];
    }
  | { readonly kind: 'main-guard'; readonly at: number; readonly body: readonly Statement[] };
