import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { unreadLines } from '../../../../../src/agent/roles/inPlace/unreadLines.ts';

test.each<[string, number[]]>([
  ['', []],
  ['A=1\n\n  # said\nexport B = "2"\n\tC=\nD==\n', []],
  ['A=1\r\n\r\nB=2\r\n', []],
  ['A=1\nno equals\nB: 2\nexport C\n', [2, 3, 4]],
  ['=1\n  = 2\nA B=3\n', [1, 2, 3]],
  ['KEY="-----BEGIN\nabc\ndef==\n-----END"\nstray\n', [5]],
  ["A='\n# within\n'\nB=`\n\n`\nstray", [7]],
  // A quote that is not closed is a part of the value.
  ['A="open\nstray\nB=2\n', [2]],
  ['stray "quote\nA=1\nclosing" stray\n', [1, 3]],
  ['LINE_1=x\nstray\n', [2]],
])('%j: %j', (text, lines) => {
  expect(unreadLines(text)).toEqual(lines);
});

test('what is told is what Node leaves out, and what is not told is read', () => {
  const text = 'A="x\ny"\nstray\nB=2\nC: 3\n';
  const told = unreadLines(text);
  const without = text.split('\n').filter((_, index) => !told.includes(index + 1));
  expect(parseEnv(without.join('\n'))).toEqual(parseEnv(text));
  expect(told).toEqual([3, 5]);
});
