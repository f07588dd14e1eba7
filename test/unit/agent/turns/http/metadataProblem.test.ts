import { expect, test } from 'vitest';
import { metadataProblem } from '../../../../../src/agent/turns/http/metadataProblem.ts';
import { parseExactJson } from '../../../../../src/base/exactJson.ts';

const problem = (text: string) => metadataProblem(parseExactJson(text) as object);
/** An object with so many levels, itself included. */
const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

test('metadata is as deep as every agent can read, and no deeper', () => {
  expect(problem(nested(128))).toBeUndefined();
  expect(problem(nested(129))).toBe('is nested more than 128 levels deep');
  expect(problem(`{"x":1,"y":{"z":${nested(200)}}}`)).toContain('levels deep');
});

test('its numbers have as many digits as every agent can read, and no more', () => {
  expect(problem(`{"a":[${'9'.repeat(1000)}]}`)).toBeUndefined();
  expect(problem(`{"a":[${'9'.repeat(1001)}]}`)).toBe('has a number of more than 1000 digits');
  expect(problem('{"a":0.10000000000000000555,"b":1e999,"c":null,"d":"x"}')).toBeUndefined();
});
