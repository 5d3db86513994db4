import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expand, hasPort, parseTemplate } from '../../src/config/template.ts';

// What CPython 3.11 gives for: template % {'port': 8000}
const TAKEN: readonly (readonly [template: string, text: string])[] = [
  ['/run/app.%(port)s.pid', '/run/app.8000.pid'],
  ['%(port)s', '8000'],
  ['%(port)d', '8000'],
  ['%(port)i', '8000'],
  ['%(port)u', '8000'],
  ['%(port)r', '8000'],
  ['%(port)a', '8000'],
  ['%(port)s/%(port)s', '8000/8000'],
  ['%%', '%'],
  ['%%(port)s', '%(port)s'],
  ['100%%-%(port)s', '100%-8000'],
  ['%%%(port)s%%', '%8000%'],
  ['%(port)6d|', '  8000|'],
  ['%(port)6s|', '  8000|'],
  ['%(port)-6d|', '8000  |'],
  ['%(port)-6s|', '8000  |'],
  ['%(port)06d|', '008000|'],
  ['%(port)06s|', '  8000|'],
  ['%(port)0-6d|', '8000  |'],
  ['%(port)-06d|', '8000  |'],
  ['%(port)+d|', '+8000|'],
  ['%(port)+s|', '8000|'],
  ['%(port) d|', ' 8000|'],
  ['%(port)+ d|', '+8000|'],
  ['%(port) +d|', '+8000|'],
  ['%(port)+07d|', '+008000|'],
  ['%(port) 7d|', '   8000|'],
  ['%(port)+-7d|', '+8000  |'],
  ['%(port)#d|', '8000|'],
  ['%(port)00008d|', '00008000|'],
  ['%(port)2d|', '8000|'],
  ['', ''],
  ['/run/app.pid', '/run/app.pid'],
  ['/run/замок/%(port)s', '/run/замок/8000'],
  ['a\n%(port)s', 'a\n8000'],
];
for (const [template, text] of TAKEN) {
  test(`${JSON.stringify(template)} → ${JSON.stringify(text)}`, () => {
    const parsed = parseTemplate(template);
    assert('template' in parsed);
    assert.equal(expand(parsed.template, 8000), text);
  });
}

const REFUSED: readonly (readonly [template: string, wrong: string])[] = [
  ['%', "has a stray '%' at character 1: write %(port)s, or %% for a percent sign"],
  ['/run/%', "has a stray '%' at character 6: write %(port)s, or %% for a percent sign"],
  ['100% %(port)s', "has a stray '%' at character 4: write %(port)s, or %% for a percent sign"],
  ['a%5%', "has a stray '%' at character 2: write %(port)s, or %% for a percent sign"],
  ['%s', "has a stray '%' at character 1: write %(port)s, or %% for a percent sign"],
  ['%d', "has a stray '%' at character 1: write %(port)s, or %% for a percent sign"],
  ['%{port}s', "has a stray '%' at character 1: write %(port)s, or %% for a percent sign"],
  ['%(port', "has a stray '%' at character 1: write %(port)s, or %% for a percent sign"],
  ['%%%', "has a stray '%' at character 3: write %(port)s, or %% for a percent sign"],
  ['%(ports)s', 'names %(ports)s, but only %(port)s is known'],
  ['%()s', 'names %()s, but only %(port)s is known'],
  ['%( port )s', 'names %( port )s, but only %(port)s is known'],
  ['%(PORT)s', 'names %(PORT)s, but only %(port)s is known'],
  ['%(ports)%', 'names %(ports)s, but only %(port)s is known'],
  ['%(port)', "has '%(port)' where %(port)s was expected"],
  ['%(port).pid', "has '%(port).' where %(port)s was expected"],
  ['%(port)-pid', "has '%(port)-p' where %(port)s was expected"],
  ['%(port)%', "has '%(port)%' where %(port)s was expected"],
  ['%(port)x', "has '%(port)x' where %(port)s was expected"],
  ['%(port)f', "has '%(port)f' where %(port)s was expected"],
  ['%(port)S', "has '%(port)S' where %(port)s was expected"],
  ['%(port)*d', "has '%(port)*' where %(port)s was expected"],
  ['%(port)65d', 'has a placeholder wider than 64 characters'],
  ['%(port)99999999999999999999d', 'has a placeholder wider than 64 characters'],
];
for (const [template, wrong] of REFUSED) {
  test(`${JSON.stringify(template)} is refused`, () => assert.deepEqual(parseTemplate(template), { wrong }));
}

test('whether there is a place for the port', () => {
  const answers = ['%(port)s', 'a%(port)04db', '', 'app.pid', '%%', '%%(port)s'].map((text) => {
    const parsed = parseTemplate(text);
    return 'template' in parsed && hasPort(parsed.template);
  });
  assert.deepEqual(answers, [true, true, false, false, false, false]);
});

test('each port has its own text', () => {
  const parsed = parseTemplate('/run/%(port)05d.pid');
  assert('template' in parsed);
  assert.deepEqual(
    [1, 8000, 65_535].map((port) => expand(parsed.template, port)),
    ['/run/00001.pid', '/run/08000.pid', '/run/65535.pid'],
  );
});
