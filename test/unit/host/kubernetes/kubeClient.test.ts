import { expect, test } from 'vitest';
import { resource } from '../../../../src/host/kubernetes/resource.ts';
import { cannedApi, cut, json } from '../../../support/kubernetes/cannedApi.ts';

const signal = () => AbortSignal.timeout(30_000);
const pod = { metadata: { name: 'a' } };
const pods = { api: 'v1', plural: 'pods', namespace: 'bots' };

test('the path behind a proxy, the token, and what is there', async () => {
  await using api = await cannedApi(json(200, pod));
  expect(await resource(api.client, pods).get('a', signal())).toEqual(pod);
  expect(api.asked).toEqual([{ what: 'GET /proxy/api/v1/namespaces/bots/pods/a', token: 'Bearer first' }]);
});

test('404 is undefined for a get, and nothing for a removal', async () => {
  await using api = await cannedApi(json(404, { message: 'pods "a" not found' }));
  expect(await resource(api.client, pods).get('a', signal())).toBeUndefined();
  await resource(api.client, pods).remove('a', { uid: 'u' }, signal());
});

test('a token that is not accepted is read anew, once', async () => {
  await using api = await cannedApi(json(401, {}), json(200, pod), json(401, {}));
  await resource(api.client, pods).get('a', signal());
  expect(api.asked.map(({ token }) => token)).toEqual(['Bearer first', 'Bearer anew-1']);
  await expect(resource(api.client, pods).get('a', signal())).rejects.toMatchObject({ code: 'denied' });
  expect(api.asked).toHaveLength(4);
});

test('429 and 503 with Retry-After are asked again; without it the caller decides', async () => {
  const busy = json(429, { message: 'too many' }, { 'retry-after': '1' });
  await using api = await cannedApi(busy, json(200, pod), json(500, { message: 'etcd' }));
  expect(await resource(api.client, pods).get('a', signal())).toEqual(pod);
  await expect(resource(api.client, pods).get('a', signal())).rejects.toMatchObject({
    code: 'unavailable',
    retryable: true,
    message: 'pods/a: etcd',
  });
  expect(api.asked).toHaveLength(3);
});

test.each([
  [403, 'denied'],
  [409, 'conflict'],
  [422, 'refused'],
  [504, 'unavailable'],
])('%i is %s', async (status, code) => {
  await using api = await cannedApi(json(status, { message: 'no' }));
  await expect(resource(api.client, pods).create(pod, signal())).rejects.toMatchObject({ code });
});

test('an answer that breaks off is no answer', async () => {
  await using api = await cannedApi(cut('{"metadata":'));
  await expect(resource(api.client, pods).get('a', signal())).rejects.toMatchObject({ code: 'unavailable' });
});

test('a removal says which one is meant', async () => {
  let body = '';
  await using api = await cannedApi((request, response) => {
    request.on('data', (chunk) => (body += chunk)).on('end', () => response.end('{}'));
  });
  await resource(api.client, pods).remove('a', { uid: 'u1', graceSeconds: 35 }, signal());
  expect(JSON.parse(body)).toMatchObject({ preconditions: { uid: 'u1' }, gracePeriodSeconds: 35 });
});
