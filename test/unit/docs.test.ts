import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withOptions } from '../../build/docs.ts';

test("the README's table of options is that of the code", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  assert.equal(withOptions(readme), readme);
});
