import { describe, expect, it, vi } from 'vitest';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';

const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 20 });

describe('a wave', () => {
  it('has no place for bots that are off or run on time, which would never be ready in it', async () => {
    const host = startModelLoop();
    const { list, model, loop, kept } = host;
    const all = (env: Record<string, string>, enabled: boolean) => [
      aSpec({ name: 'a-off', env, enabled }),
      scheduled('b-timed', { cron: '* * * * * *' }, { env }),
      ...['c', 'd', 'e'].map((name) => aSpec({ name, env })),
    ];
    list(...all({}, true));
    await until(() => expect(kept.records.get('b-timed').lastRun ?? endRun(model)).toBeDefined());
    await until(() => expect(loop.state('a-off').ready?.reason).toBe('Running'));
    list(...all({}, false));
    await until(() => expect(endAsked(model) ?? loop.state('a-off').ready?.reason).toBe('Disabled'));
    // All of it changes, and the first wave is one that runs.
    list(...all({ NEW: '1' }, false));
    const news = () => model.lives.filter(({ bot, hash }) => /^[cde]$/.test(bot) && hash.includes('NEW'));
    await until(() => expect(endAsked(model) ?? news().length).toBe(3));
    expect(loop.waves.held()).toEqual([]);
    await host.stop();
  });
});

describe('a change of one archive', () => {
  it('comes in waves also where each bot has the archive under a key of its own', async () => {
    const host = startModelLoop();
    const { list, model } = host;
    const all = (sha256: string) =>
      ['a', 'b', 'c'].map((name) => aSpec({ name, code: { file: `${name}/${sha256}.tar`, sha256 } }));
    list(...all('1'.repeat(64)));
    await until(() => expect(model.lives.length).toBe(3));
    list(...all('2'.repeat(64)));
    await until(() => expect(model.signals.length).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(model.signals.length).toBe(1);
    await host.stop();
  });
});

describe('a change of the image', () => {
  it('comes in waves over all bots, whatever their code', async () => {
    let image = 'old';
    const host = startModelLoop({ base: () => image });
    const { list, model, loop, kept } = host;
    const all = ['a', 'b', 'c', 'd'].map((name) => aSpec({ name, code: { file: name, sha256: undefined } }));
    list(...all);
    await until(() => expect(all.every(({ name }) => kept.records.get(name).current)).toBe(true));
    await until(() => expect(host.running().length).toBe(4));
    image = 'new';
    for (const { name } of all) loop.wake(name);
    await until(() => expect(model.signals.length).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(model.signals.length).toBe(1);
    const news = () => model.lives.filter(({ hash }) => hash.includes('new')).length;
    await until(() => expect(endAsked(model) ?? news()).toBe(4));
    expect(loop.waves.held()).toEqual([]);
    // Negative control: a change of each bot's own is no change of all.
    model.signals.length = 0;
    list(...all.map((spec) => ({ ...spec, env: { OWN: '1' } })));
    await until(() => expect(model.signals.length).toBe(4));
    await host.stop();
  });
});

describe('a change that finds instances which are made and not started yet', () => {
  it('replaces the first of them; the others are started as they are, and wait for their wave', async () => {
    let mayStart = false;
    const host = startModelLoop({
      fault: (call) => (call === 'start' && !mayStart ? 'before' : 'none'),
      // The first wave is never ready here.
      readyAfterMs: 3_600_000,
    });
    const { list, model, loop } = host;
    const bots = ['a', 'b', 'c'];
    const all = (env: Record<string, string>) =>
      bots.map((name) => aSpec({ name, env, code: { file: 'all.tar', sha256: undefined } }));
    list(...all({}));
    const states = () => [...model.instances.values()].map(({ state }) => state);
    await until(() => expect(states()).toEqual(['created', 'created', 'created']));
    list(...all({ NEW: '1' }));
    mayStart = true;
    await until(() => expect(host.running()).toEqual(bots));
    expect(model.lives.filter(({ hash }) => hash.includes('NEW')).length).toBe(1);
    expect(model.lives.length).toBe(3);
    const waits = (bot: string) => /waits for its wave/.test(loop.state(bot).ready?.message ?? '');
    await until(() => expect(bots.filter(waits).length).toBe(2));
    await host.stop();
  });
});

describe('a bot that is over its disk', () => {
  it('is degraded, and ended only when the disk of the host is nearly full; the others stay', async () => {
    let isFull = false;
    const host = startModelLoop({ diskFull: () => (isFull ? '1 MiB is left' : undefined) });
    const { list, model, loop, diskUse } = host;
    list(...['a', 'b'].map((name) => aSpec({ name })));
    await until(() => expect(host.running()).toEqual(['a', 'b']));
    diskUse.put('a', 3 * 2 ** 30);
    diskUse.put('b', 2 ** 30);
    const look = () => loop.wake('a') ?? loop.wake('b');
    const reason = (bot: string) =>
      loop.state(bot).conditions.find(({ type }) => type === 'Degraded')?.reason;
    await until(() => expect(look() ?? reason('a')).toBe('DiskOverLimit'));
    expect(reason('b')).toBeUndefined();
    expect(model.signals).toEqual([]);
    isFull = true;
    await until(() => expect(look() ?? endAsked(model) ?? host.running()).toEqual(['b']));
    await until(() => expect(loop.state('a').ready?.reason).toBe('HostFull'));
    // Nor is anything ended to be replaced by what could not be started.
    list(...['a', 'b'].map((name) => aSpec({ name, env: { NEW: '1' } })));
    await until(() => expect(loop.state('b').ready?.message).toMatch(/^runs; a change waits because/));
    expect(host.running()).toEqual(['b']);
    list(...['a', 'b'].map((name) => aSpec({ name })));
    isFull = false;
    await until(() => expect(look() ?? host.running()).toEqual(['a', 'b']));
    expect(model.signals.length).toBe(1);
    await host.stop();
  });
});

type Model = ReturnType<typeof startModelLoop>['model'];

function endRun(model: Model): undefined {
  for (const { name, spec, state } of [...model.instances.values()])
    if (state === 'running' && spec.role === 'run') model.end(name, 0);
}

function endAsked(model: Model): undefined {
  endRun(model);
  for (const { name, asked, state } of [...model.instances.values()])
    if (state === 'running' && asked) model.end(name, 143);
}
