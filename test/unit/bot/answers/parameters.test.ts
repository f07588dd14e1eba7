import { expect, test } from 'vitest';
import { mergeParameters, parseParameters, parseTarget } from '../../../../src/bot/answers/parameters.ts';

test.each([
  ['/a?b=c', { path: '/a', queryString: 'b=c' }],
  ['/a?b=c?d', { path: '/a', queryString: 'b=c?d' }],
  ['//a/%2e%2e/./b', { path: '//a/%2e%2e/./b', queryString: '' }],
  ['http://host:1/a?b', { path: '/a', queryString: 'b' }],
  ['HTTPS://host?b', { path: '/', queryString: 'b' }],
  ['/a#b?c', { path: '/a', queryString: '' }],
  ['/\xfc b', { path: '/%fc%20b', queryString: '' }],
  ['/a\r\nHost: x', { path: '/a%0d%0aHost:%20x', queryString: '' }],
  ['*', undefined],
  ['', undefined],
  ['host:80', undefined],
])('the target %j', (url, target) => {
  expect(parseTarget(url)).toEqual(target);
});

test("the body's values win over the query string's, however those are written", () => {
  expect(mergeParameters('a=1&%62=2&c=3&a=4', { a: 'x', b: 'y' })).toBe('c=3&a=x&b=y');
  expect(mergeParameters('a+b=1', { 'a b': 2 })).toBe('a%20b=2');
});

test('strings stay as they are, anything else is JSON', () => {
  const body = { s: 'true', b: true, n: 1.5, z: null, o: { a: ['&'] }, '=&': '=&', bad: '\ud800' };
  expect(Object.fromEntries(new URLSearchParams(mergeParameters('', body)))).toEqual({
    s: 'true',
    b: 'true',
    n: '1.5',
    z: 'null',
    o: '{"a":["&"]}',
    '=&': '=&',
    bad: '\ufffd',
  });
});

test('without a body the query string is what the client wrote', () => {
  expect(mergeParameters('x=%7e&x=2&y', {})).toBe('x=%7e&x=2&y');
});

test('of a name given twice the first counts', () => {
  expect(parseParameters('a=1&a=2&__proto__=3')).toEqual(JSON.parse('{"a":"1","__proto__":"3"}'));
});
