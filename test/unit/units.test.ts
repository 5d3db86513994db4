import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { after, asPid, asPort, between, millis, seconds } from '../../src/core/units.ts';
import { at } from '../support/core-values.ts';

suite('a port', () => {
  for (const number of [1, 80, 8000, 65_535]) test(`${number}`, () => assert.equal(asPort(number), number));
  for (const number of [0, -1, 65_536, 80.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    test(`not ${number}`, () => assert.equal(asPort(number), undefined));
  }
});

suite('a pid that may be signalled', () => {
  for (const number of [2, 412, 4_194_304]) test(`${number}`, () => assert.equal(asPid(number), number));
  for (const number of [1, 0, -1, -412, 4_194_305, 2.5, Number.NaN, 2 ** 53]) {
    test(`not ${number}`, () => assert.equal(asPid(number), undefined));
  }
});

suite('times', () => {
  test('seconds are a thousand', () => assert.equal(seconds(4), millis(4000)));
  test('after and between are inverse', () => assert.equal(between(at(70), after(at(70), millis(5))), 5));
});
