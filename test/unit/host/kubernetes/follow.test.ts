import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { follow } from '../../../../src/host/kubernetes/follow.ts';
import type { KubeObject } from '../../../../src/host/kubernetes/objects.ts';
import { resource } from '../../../../src/host/kubernetes/resource.ts';
import { type Answer, cannedApi, cut, json, lines } from '../../../support/kubernetes/cannedApi.ts';

const object = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const page = (resourceVersion: string, names: string[], next?: string) =>
  json(200, {
    metadata: { resourceVersion, ...(next && { continue: next }) },
    items: names.map((name) => object(name, resourceVersion)),
  });
const event = (type: string, name: string, at: string) => ({ type, object: object(name, at) });

/** What was told, until so many things were. */
async function told(count: number, ...answers: Answer[]) {
  await using api = await cannedApi(...answers);
  const seen: string[] = [];
  const over = new AbortController();
  const note = (text: string) => {
    seen.push(text);
    if (seen.length === count) over.abort();
  };
  await follow(
    resource<KubeObject>(api.client, { api: 'v1', plural: 'pods', namespace: 'bots' }),
    {
      clock: systemClock,
      random: () => 0,
      labelSelector: 'runtime.host=h',
      keep: ({ metadata }) => metadata.name,
      listed: (items) => note(`listed ${items.join(' ')}`),
      changed: (name) => note(`changed ${name}`),
      gone: (name) => note(`gone ${name}`),
      lost: (error) => note(`lost ${(error as { code: string }).code}`),
    },
    AbortSignal.any([over.signal, AbortSignal.timeout(30_000)]),
  );
  const versions = api.asked.map(({ what }) => /resourceVersion=(\w+)/.exec(what)?.[1] ?? 'list');
  return { seen, versions, asked: api.asked.map(({ what }) => what) };
}

test('pages are listed whole, then changes are told', async () => {
  const { seen, asked } = await told(
    3,
    page('5', ['a', 'b'], 'token'),
    page('5', ['c']),
    lines(false, event('MODIFIED', 'a', '6'), event('DELETED', 'b', '7')),
  );
  expect(seen).toEqual(['listed a b c', 'changed a', 'gone b']);
  expect(asked[0]).toBe('GET /proxy/api/v1/namespaces/bots/pods?limit=100&labelSelector=runtime.host%3Dh');
  expect(asked[1]).toContain('continue=token');
  expect(asked[2]).toContain('allowWatchBookmarks=true&resourceVersion=5');
});

test('a watch that ends or is cut goes on where it was, a bookmark further; nothing is listed again', async () => {
  const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } };
  const { seen, versions } = await told(
    3,
    page('5', ['a']),
    lines(true, event('ADDED', 'b', '6'), bookmark),
    cut(`${JSON.stringify(event('ADDED', 'c', '10'))}\n{"type":"ADDED","obj`),
    lines(false, event('ADDED', 'd', '11')),
  );
  expect(seen.slice(0, 3)).toEqual(['listed a', 'changed b', 'changed c']);
  expect(versions.slice(0, 3)).toEqual(['list', '5', '9']);
});

test('a moment that was compacted away is listed again: as an answer, and inside a watch', async () => {
  const expired = { type: 'ERROR', object: { code: 410, message: 'too old' } };
  const { seen, versions } = await told(
    5,
    page('5', ['a']),
    lines(true, expired),
    page('8', ['b']),
    json(410, { message: 'too old' }),
    page('9', ['c']),
  );
  expect(seen).toEqual(['listed a', 'lost conflict', 'listed b', 'lost conflict', 'listed c']);
  expect(versions).toEqual(['list', '5', 'list', '8', 'list']);
});

test('a listing that took too long is begun anew, and what has gone meanwhile is not in it', async () => {
  const { seen, asked } = await told(
    2,
    page('5', ['a', 'b'], 'token'),
    json(410, { message: 'the provided continue parameter is too old' }),
    page('8', ['b'], 'other'),
    page('8', ['c']),
    lines(false, event('ADDED', 'd', '9')),
  );
  expect(seen).toEqual(['listed b c', 'changed d']);
  expect(asked.map((what) => /continue=(\w+)/.exec(what)?.[1])).toEqual([
    undefined,
    'token',
    undefined,
    'other',
    undefined,
  ]);
});

test('while it fails nothing is forgotten: the watch goes on where it was', async () => {
  const { seen, versions } = await told(
    3,
    page('5', ['a']),
    json(500, { message: 'etcd' }),
    lines(false, event('ADDED', 'b', '6')),
  );
  expect(seen).toEqual(['listed a', 'lost unavailable', 'changed b']);
  expect(versions).toEqual(['list', '5', '5']);
});
