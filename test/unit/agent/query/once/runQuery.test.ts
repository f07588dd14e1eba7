import { expect, test } from 'vitest';
import { lockResult } from '../../../../../src/agent/query/once/lockResult.ts';
import { queryEnvironment, runQuery } from '../../../../../src/agent/query/once/runQuery.ts';
import { parseExactJson } from '../../../../../src/base/exactJson.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

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

test('of several at once in one folder each has its own answer', async () => {
  const resultDir = await temporaryDirectory();
  const signal = new AbortController().signal;
  // Each answer lies there for a while before its program ends.
  const script = `printf '{"status":"ok","data":"%s"}' "$QUERY_PATH" > '${resultDir}/result.json'; sleep 0.2`;
  const ask = async (path: string) => {
    const env = { PATH: process.env.PATH ?? '' };
    const launch = { argv: ['/bin/sh', '-c', script], env, cwd: '/', control: undefined, user: undefined };
    const result = await runQuery({ launch, path, params: {}, resultDir, signal });
    return 'failure' in result ? result.failure : String(result.bytes);
  };
  const paths = ['/a', '/b', '/c', '/d'];
  expect(await Promise.all(paths.map(ask))).toEqual(paths.map((path) => `{"status":"ok","data":"${path}"}`));
});

test('whoever waits for another query ends with its own signal', async () => {
  const dir = await temporaryDirectory();
  await using _ = await lockResult(dir, new AbortController().signal);
  const stop = new AbortController();
  const waiting = lockResult(dir, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
