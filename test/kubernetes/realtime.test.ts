import { expect, vi } from 'vitest';
import { counter, lives, signal, soon, uidOf } from '../support/kubernetes/counterBot.ts';
import { kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';

kubeTest(
  'a realtime bot runs, answers, goes on with its state in another pod, changes, and is disabled',
  async () => {
    await using host = await kubeHost();
    host.write(counter('keeper'));
    await host.start();
    await lives(host, 'keeper', 1);
    const first = await uidOf(host, 'rt-keeper');

    // Whoever deletes the pod gets another one, and nothing of it is lost.
    await host.pods.remove('rt-keeper', {}, signal());
    await lives(host, 'keeper', 2);
    expect(await uidOf(host, 'rt-keeper')).not.toBe(first);

    host.write(counter('keeper', 'config: {changed: true}'));
    await lives(host, 'keeper', 3, { changed: true });

    // The host's own death is nobody's: the next one finds what runs.
    const third = await uidOf(host, 'rt-keeper');
    await host.kill();
    await host.start();
    await vi.waitFor(async () => expect((await host.list())[0]).toMatchObject({ state: 'running' }), soon);
    await lives(host, 'keeper', 3, { changed: true });
    expect(await uidOf(host, 'rt-keeper')).toBe(third);

    await host.cli('disable', 'keeper');
    await vi.waitFor(async () => expect(await host.pods.get('rt-keeper', signal())).toBeUndefined(), soon);
    // Asked all the same: a pod for the queries alone, from the saved state.
    await lives(host, 'keeper', 3, { changed: true });
    const events = (await host.events()).filter(({ type }) => type === 'lost' || type === 'failed');
    expect(events).toEqual([]);
  },
);
