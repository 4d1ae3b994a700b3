import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { viewCode } from './code-view.js';
import { Tree } from './tree.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

describe('viewCode', () => {
  const cases: readonly (readonly [what: string, text: string, code: string])[] = [
    ['comments', 'a; // b\nc /* d\n */ e', 'a;     \nc     \n    e'],
    ['strings', `'a' + "it's" + '\\'b'`, `' ' + "    " + '   '`],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is what gets scanned
    ['a template with code in it', '`a${f({ b: `c` })}d`;', '` ${f({ b: ` ` })} `;'],
    ['a regular expression', "x = /['/*]/g;", 'x = /     /g;'],
    ['a regular expression after a word', 'return /"/;', 'return / /;'],
    ['a division', "a / b; c = '/'", "a / b; c = ' '"],
    ['a division after a bracket', '(a) / 2 / "b"', '(a) / 2 / " "'],
  ];
  for (const [what, text, code] of cases) {
    it(`blanks ${what}`, () => {
      assert.equal(viewCode(text).code, code);
    });
  }

  it('keeps remarks, and only them, in the other view', () => {
    assert.equal(viewCode("a('// b'); // c").comments, '           // c');
  });

  it('leaves balanced brackets of every source file here', () => {
    for (const file of new Tree(repository).typeScript) {
      const { code } = file.view;
      for (const pair of ['()', '[]', '{}']) {
        const [opened, closed] = [...pair].map((bracket) => code.split(bracket).length);
        assert.equal(opened, closed, `${pair} in the code view of ${file.path}`);
      }
    }
  });
});
