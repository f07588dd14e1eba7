import { expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/host/kubernetes/objects.ts';
import { resource } from '../../../../src/host/kubernetes/resource.ts';
import { watchOnce } from '../../../../src/host/kubernetes/watchOnce.ts';
import { type Answer, cannedApi, cut, lines } from '../../../support/kubernetes/cannedApi.ts';

const event = (type: string, resourceVersion: string) => ({
  type,
  object: { metadata: { name: 'a', resourceVersion } },
});

async function watched(answer: Answer, silentMs?: number) {
  await using api = await cannedApi(answer);
  const pods = resource<KubeObject>(api.client, { api: 'v1', plural: 'pods', namespace: 'bots' });
  const told: string[] = [];
  const options = { from: '1200', seconds: 300, ...(silentMs !== undefined && { silentMs }) };
  const end = watchOnce(
    pods,
    options,
    ({ object }) => void told.push(object.metadata.resourceVersion!),
    AbortSignal.timeout(30_000),
  );
  const outcome = await end.catch((error: unknown) => error);
  return { outcome, told };
}

test('a watch that tells nothing at all, not even that it is there, is to be listed anew', async () => {
  // So an API server behaves whose etcd was restored to an earlier revision than the one that is asked for.
  const { outcome } = await watched((_, response) => response.writeHead(200).flushHeaders(), 100);
  expect(outcome).toMatchObject({ code: 'conflict' });
});

test.each(['BOOKMARK', 'MODIFIED'])('one that tells of an earlier moment is as well: %s', async (type) => {
  const { outcome, told } = await watched(lines(true, event('MODIFIED', '1201'), event(type, '1001')));
  expect(outcome).toMatchObject({ code: 'conflict' });
  expect(told).toEqual(['1201']);
});

test('negative control: one that is cut goes on where it was', async () => {
  const { outcome } = await watched(cut(`${JSON.stringify(event('MODIFIED', '1201'))}\n{`), 30_000);
  expect(outcome).toBe('1201');
});
