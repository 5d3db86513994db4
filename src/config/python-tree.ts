// What the parser makes of a file. Offsets stand for places; what is neither needed nor executed here has no parts.

import type { PyValue } from './python-value.ts';

/**
 * An expression. `opaque` is one whose syntax is sound and whose value only a running Python has; its parts are what it surely
 * or perhaps evaluates, but for the bodies of lambdas.
 */
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
  | { readonly kind: 'comparison'; readonly at: number; readonly first: Expr; readonly rest: readonly Compared[] }
  | {
      readonly kind: 'conditional';
      readonly at: number;
      readonly condition: Expr;
      readonly chosen: Expr; // when the condition is true
      readonly otherwise: Expr;
    }
  | { readonly kind: 'subscript'; readonly at: number; readonly of: Expr; readonly index: Expr }
  | { readonly kind: 'opaque'; readonly at: number; readonly what: string; readonly parts: readonly Expr[] };

/** One step of a chain of comparisons, `< b`; the operator as it is written, `not in` with one blank. */
export interface Compared {
  readonly operator: string;
  readonly of: Expr;
}

/** An argument of a call: `name` for a keyword, `*` or `**` for an unpacking, '' for one that goes by its position. */
export interface Argument {
  readonly name: string;
  readonly at: number;
  readonly value: Expr;
}

/** What an assignment gives values to: names, lists of them, and places in objects, which are attributes and items. */
export type Target =
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'place'; readonly of: Place }
  | { readonly kind: 'starred'; readonly of: Target }
  | { readonly kind: 'sequence'; readonly items: readonly Target[] };

/** An attribute or an item. */
export type Place = Extract<Expr, { readonly kind: 'attribute' | 'subscript' }>;

/** A name that an import binds, and the dotted name of what it is then. */
export interface Imported {
  readonly name: string;
  readonly path: string;
}

/** A part of an `if` statement; the condition of `else` is missing. */
export interface Branch {
  readonly condition: Expr | undefined;
  readonly body: readonly Statement[];
}

/** A `def` or `class`: `heads` are its decorators, defaults, annotations and bases. */
export interface Definition {
  readonly kind: 'definition';
  readonly at: number;
  readonly type: 'def' | 'class';
  readonly name: string;
  readonly isPlain: boolean; // neither parameters nor decorators
  readonly heads: readonly Expr[];
  readonly body: readonly Statement[];
}

/**
 * A statement (Python Language Reference 7 and 8). `block` is one that is never followed step by step: a loop, try or with;
 * `binds` are the names that it gives values to by itself.
 */
export type Statement =
  | { readonly kind: 'pass'; readonly at: number }
  | { readonly kind: 'expression'; readonly at: number; readonly value: Expr }
  | { readonly kind: 'assignment'; readonly at: number; readonly targets: readonly Target[]; readonly value: Expr }
  | {
      readonly kind: 'augmented';
      readonly at: number;
      readonly target: Extract<Target, { readonly kind: 'name' | 'place' }>;
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
  | { readonly kind: 'delete'; readonly at: number; readonly targets: readonly Target[] }
  | {
      readonly kind: 'jump';
      readonly at: number;
      readonly word: 'return' | 'break' | 'continue' | 'raise' | 'assert';
      readonly values: readonly Expr[];
    }
  | { readonly kind: 'if'; readonly at: number; readonly branches: readonly Branch[] }
  | {
      readonly kind: 'block';
      readonly at: number;
      readonly word: string;
      readonly heads: readonly Expr[];
      readonly binds: readonly string[];
      readonly bodies: readonly (readonly Statement[])[];
    }
  | Definition;

/** The statements inside a statement. */
export function bodiesOf(statement: Statement): readonly (readonly Statement[])[] {
  switch (statement.kind) {
    case 'if':
      return statement.branches.map(({ body }) => body);
    case 'block':
      return statement.bodies;
    case 'definition':
      return [statement.body];
    default:
      return [];
  }
}
