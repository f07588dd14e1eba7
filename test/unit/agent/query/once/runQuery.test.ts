import { expect, test } from 'vitest';
import { queryEnvironment } from '../../../../../src/agent/query/once/runQuery.ts';
import { parseExactJson } from '../../../../../src/base/exactJson.ts';

test('parameters are flattened, strings as they are, anything else as JSON', () => {
  expect(queryEnvironment('/p', { s: 'x', n: 1, o: { a: null } })).toEqual({
    QUERY_PATH: '/p',
    QUERY_PARAMS: '{"s":"x","n":1,"o":{"a":null}}',
    QUERY_PARAM_s: 'x',
    QUERY_PARAM_n: '1',
    QUERY_PARAM_o: '{"a":null}',
  });
});

test('what an environment cannot hold is left to QUERY_PARAMS', () => {
  const environment = queryEnvironment('/p', { 'a=b': '1', 'c\0': '2', d: '\0' });
  expect(Object.keys(environment)).toEqual(['QUERY_PATH', 'QUERY_PARAMS']);
});

test('numbers keep all their digits', () => {
  const params = parseExactJson('{"id":9007199254740993,"deep":[{"p":0.10000000000000000555}],"n":1}');
  expect(queryEnvironment('/p', params as Record<string, unknown>)).toEqual({
    QUERY_PATH: '/p',
    QUERY_PARAMS: '{"id":9007199254740993,"deep":[{"p":0.10000000000000000555}],"n":1}',
    QUERY_PARAM_id: '9007199254740993',
    QUERY_PARAM_deep: '[{"p":0.10000000000000000555}]',
    QUERY_PARAM_n: '1',
  });
});
