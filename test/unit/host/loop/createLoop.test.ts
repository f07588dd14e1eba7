import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Entry } from '../../../../src/host/sources/source.ts';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { modelRecords } from '../../../support/host/modelHost.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';

const started: ReturnType<typeof startModelLoop>[] = [];

function start(...args: Parameters<typeof startModelLoop>) {
  const host = startModelLoop(...args);
  started.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((host) => host.stop()));
});

const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 20 });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the loop', () => {
  it('makes what runs equal to what is wanted', async () => {
    const { list, running, model } = start();
    list(aSpec({ name: 'a' }), aSpec({ name: 'b' }), aSpec({ name: 'off', enabled: false }));
    await until(() => expect(running()).toEqual(['a', 'b']));
    list(aSpec({ name: 'a', env: { NEW: '1' } }), aSpec({ name: 'b' }), aSpec({ name: 'off' }));
    await until(() => expect(model.signals.map(({ name }) => name)).toEqual(['rt-a']));
    model.end('rt-a', 143);
    await until(() => expect(running()).toEqual(['a', 'b', 'off']));
    expect(model.instances.get('rt-a')?.spec.hash).toContain('NEW');
  });

  it('starts what it has made before it makes the next, of however many', async () => {
    const calls: string[] = [];
    const host = start({
      fault: (call) => {
        calls.push(call);
        return 'none';
      },
    });
    const names = Array.from({ length: 40 }, (_, i) => `bot-${i}`);
    host.list(...names.map((name) => aSpec({ name })));
    await until(() => expect(host.running().length).toBe(40));
    // There are four slots.
    const before = calls.slice(0, calls.indexOf('start')).filter((call) => call === 'create').length;
    expect(before).toBeLessThanOrEqual(8);
  });

  it('stops nothing while the source or the engine says nothing', async () => {
    const first = start();
    first.list(aSpec({ name: 'a' }), aSpec({ name: 'b' }));
    await until(() => expect(first.running()).toEqual(['a', 'b']));
    await first.stop();
    const second = start({ model: first.model, kept: first.kept });
    second.sourceFails();
    await pause(200);
    expect(second.running()).toEqual(['a', 'b']);
    second.list(aSpec({ name: 'a' }), aSpec({ name: 'b' }));
    await pause(200);
    expect(second.model.lives.length).toBe(2);
    expect(second.model.signals).toEqual([]);
  });

  it('does not believe a source that is suddenly empty, until an operator says so', async () => {
    const { list, running, loop, model, events } = start();
    list(...['a', 'b', 'c'].map((name) => aSpec({ name })));
    await until(() => expect(running()).toEqual(['a', 'b', 'c']));
    list(aSpec({ name: 'a' }));
    await until(() => expect(events.map(({ type }) => type)).toContain('mass-delete'));
    await pause(200);
    expect(model.signals).toEqual([]);
    for (const bot of loop.wanted.confirm()) loop.wake(bot);
    await until(() => expect(model.signals.map(({ name }) => name).sort()).toEqual(['rt-b', 'rt-c']));
  });

  it('does not believe an empty source when it is read before the engine has answered', async () => {
    const first = start();
    first.list(...['a', 'b', 'c'].map((name) => aSpec({ name })));
    await until(() => expect(first.running()).toEqual(['a', 'b', 'c']));
    await first.stop();
    const second = start({ model: first.model, kept: first.kept });
    second.list();
    await until(() => expect(second.loop.wanted.held.length).toBe(3));
    await pause(200);
    expect(first.model.signals).toEqual([]);
  });

  it('does not believe it about bots that wait for their times either', async () => {
    const { list, loop, kept } = start();
    const bots = ['a', 'b', 'c'].map((name) => scheduled(name, { cron: '@yearly' }));
    list(...bots);
    await until(() => expect(bots.every(({ name }) => kept.records.get(name).schedule)).toBe(true));
    list();
    await pause(100);
    expect([...kept.kept.keys()].sort()).toEqual(['a', 'b', 'c']);
    for (const bot of loop.wanted.confirm()) loop.wake(bot);
    await until(() => expect([...kept.kept.keys()]).toEqual([]));
  });

  it('does not believe it about bots that have ended, either: a machine was down, and what was to be read is not mounted yet', async () => {
    const first = start();
    const bots = ['a', 'b', 'c'].map((name) => aSpec({ name }));
    first.list(...bots, aSpec({ name: 'off', enabled: false }));
    await until(() => expect(first.running()).toEqual(['a', 'b', 'c']));
    await first.stop();
    // With their containers, as on an engine whose disk is new.
    first.model.instances.clear();
    const second = start({ model: first.model, kept: first.kept });
    second.list();
    await until(() => expect(second.running()).toEqual(['a', 'b', 'c']));
    expect(second.loop.wanted.held.length).toBe(3);
    expect(second.events.map(({ type }) => type)).toContain('mass-delete');
    second.list(...bots);
    await until(() => expect(second.loop.wanted.held).toEqual([]));
    expect(second.running()).toEqual(['a', 'b', 'c']);
    expect(second.model.signals).toEqual([]);
  });

  it('counts no bot that would not be started anyway: one that is off, one that has done its work', async () => {
    const { list, running, loop, model, kept } = start();
    const done = ['b', 'c', 'd'];
    list(...['a', ...done].map((name) => aSpec({ name })));
    await until(() => expect(running()).toEqual(['a', ...done]));
    for (const name of done) model.end(`rt-${name}`, 0);
    await until(() => expect(done.every((name) => kept.records.get(name).held)).toBe(true));
    list(aSpec({ name: 'a' }));
    await pause(100);
    expect(loop.wanted.held).toEqual([]);
  });

  it('does not count those that have gone, and brings none of them back', async () => {
    const { list, running, model, loop, kept } = start();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => aSpec({ name }));
    list(a!, b!, c!);
    await until(() => expect(running()).toEqual(['a', 'b', 'c']));
    list(a!, b!);
    await until(() => expect(model.signals.map(({ name }) => name)).toEqual(['rt-c']));
    model.end('rt-c', 143);
    await until(() => expect(kept.records.get('c').ended).toBeDefined());
    list(a!);
    await until(() => expect(model.signals.map(({ name }) => name)).toEqual(['rt-c', 'rt-b']));
    expect(loop.wanted.held).toEqual([]);
  });

  it('counts none that have long been taken away, though their last containers are still there: they never come back', async () => {
    const bots = ['a', 'b', 'c'].map((name) => scheduled(name, { cron: '@yearly' }));
    const kept = modelRecords();
    const { list, loop, events } = start({ kept });
    list(...bots);
    await until(() => expect(bots.every(({ name }) => kept.records.get(name).schedule)).toBe(true));
    const long = { goneSince: Date.now() - 3_600_000 };
    for (const name of ['b', 'c']) await kept.records.put(name, { ...kept.records.get(name), ...long });
    list(bots[0]!);
    await pause(100);
    expect(loop.wanted.held).toEqual([]);
    expect(events.map(({ type }) => type)).not.toContain('mass-delete');
  });

  it('lets most of them stay when one is taken away', async () => {
    const { list, running, model } = start();
    list(...['a', 'b', 'c'].map((name) => aSpec({ name })));
    await until(() => expect(running()).toEqual(['a', 'b', 'c']));
    list(...['a', 'b'].map((name) => aSpec({ name })));
    await until(() => expect(model.signals.map(({ name }) => name)).toEqual(['rt-c']));
  });

  it('believes what somebody has removed by name, also before it knows that it runs', async () => {
    const first = start();
    first.list(aSpec({ name: 'a' }));
    await until(() => expect(first.running()).toEqual(['a']));
    await first.stop();
    const second = start({ model: first.model, kept: first.kept });
    second.loop.observer.listed(new Map(), new Set(['a']));
    await until(() => expect(second.model.signals.map(({ name }) => name)).toEqual(['rt-a']));
    expect(second.events.map(({ type }) => type)).not.toContain('mass-delete');
  });

  it('goes on where an engine failed, and says why it waits', async () => {
    let broken = true;
    const { list, running, loop, events } = start({
      fault: (call) => (call === 'create' && broken ? 'before' : 'none'),
    });
    list(aSpec({ name: 'a' }));
    await until(() => expect(events.some(({ type }) => type === 'failed')).toBe(true));
    expect(loop.state('a').conditions.find(({ type }) => type === 'Degraded')?.message).toContain('create');
    broken = false;
    await until(() => expect(running()).toEqual(['a']));
  });

  it('runs a scheduled bot at its times, each once', async () => {
    const { list, model, events } = start();
    // What this process was kept waiting is nothing that the loop could do better.
    const standstill = monitorEventLoopDelay({ resolution: 10 });
    standstill.enable();
    list(scheduled('s', { cron: '* * * * * *' }));
    const ended = setInterval(() => {
      for (const one of [...model.instances.values()]) if (one.state === 'running') model.end(one.name, 0);
    }, 100);
    await until(() => expect(model.lives.length).toBeGreaterThanOrEqual(3));
    clearInterval(ended);
    const times = model.lives.map(({ run }) => run!);
    expect(new Set(times).size).toBe(times.length);
    expect(times.every((time) => time % 1_000 === 0)).toBe(true);
    const late = events.filter(({ type }) => type === 'claimed').map(({ facts }) => facts.late as number);
    standstill.disable();
    expect(Math.max(...late)).toBeLessThan(1_000 + standstill.max / 1e6);
  });

  it('changes many bots in waves', async () => {
    const { list, model } = start();
    const bots = Array.from({ length: 20 }, (_, index) => `b${String(index).padStart(2, '0')}`);
    list(...bots.map((name) => aSpec({ name })));
    await until(() => expect(model.lives.length).toBe(20));
    list(...bots.map((name) => aSpec({ name, env: { NEW: '1' } })));
    await until(() => expect(model.signals.length).toBeGreaterThan(0));
    await pause(500);
    // The first of them is asked to end, and nobody else before it runs again.
    expect(model.signals.length).toBe(1);
    const end = setInterval(() => {
      for (const one of [...model.instances.values()]) if (one.asked) model.end(one.name, 143);
    }, 20);
    await until(() => expect(model.lives.filter(({ hash }) => hash.includes('NEW')).length).toBe(20));
    clearInterval(end);
  });

  it('drains, and goes on', async () => {
    const { list, running, loop, model } = start();
    list(aSpec({ name: 'a' }));
    await until(() => expect(running()).toEqual(['a']));
    loop.draining = true;
    await until(() => expect(model.signals.length).toBe(1));
    model.end('rt-a', 143);
    await pause(100);
    expect(running()).toEqual([]);
    loop.draining = false;
    await until(() => expect(running()).toEqual(['a']));
  });

  it('drains what runs under the name of a file that is broken', async () => {
    const { list, running, loop, model } = start();
    list(aSpec({ name: 'a' }));
    await until(() => expect(running()).toEqual(['a']));
    loop.observer.listed(new Map([['a', { problems: ['no name'], origin: 'a.yaml' }]]));
    await pause(100);
    expect(model.signals).toEqual([]);
    loop.draining = true;
    await until(() => expect(model.signals.map(({ name }) => name)).toEqual(['rt-a']));
  });

  it('starts a bot whose file is broken again as it last was, also when the host has started anew meanwhile', async () => {
    const first = start();
    first.list(aSpec({ name: 'a', env: { OLD: '1' } }), aSpec({ name: 'b' }));
    await until(() => expect(first.running()).toEqual(['a', 'b']));
    await until(() => expect(first.kept.records.get('a').good?.origin).toBe('a'));
    const listing = (name: string) =>
      new Map<string, Entry>([
        [name, { problems: ['no name'], origin: 'a' }],
        ['b', { spec: aSpec({ name: 'b' }), origin: 'b' }],
      ]);
    first.loop.observer.listed(listing('a'));
    first.model.end('rt-a', 1);
    await until(() => expect(first.model.lives.length).toBe(3));
    const degraded = () => first.loop.state('a').conditions.find(({ type }) => type === 'Degraded');
    await until(() => expect(degraded()).toMatchObject({ reason: 'Invalid' }));
    await first.stop();
    first.model.end('rt-a', 1);

    // A source that has just begun knows the file's name alone.
    const { model, kept } = first;
    const second = start({ model, kept });
    second.loop.observer.listed(listing('file-of-a'));
    await until(() => expect(model.lives.length).toBe(4));
    expect(model.lives.at(-1)?.hash).toContain('OLD');
    expect([...second.loop.bots()].sort()).toEqual(['a', 'b']);
    expect(model.signals).toEqual([]);
  });

  it('starts a bot again that has ended with 0 because somebody else stopped it, and none that did so by itself', async () => {
    const { list, running, model, loop } = start({ saysStopped: (bot) => bot === 'stopped' });
    list(aSpec({ name: 'stopped' }), aSpec({ name: 'done' }));
    await until(() => expect(running()).toEqual(['done', 'stopped']));
    model.end('rt-stopped', 0);
    model.end('rt-done', 0);
    await until(() => expect(loop.state('done').ready?.reason).toBe('Completed'));
    await until(() => expect(running()).toEqual(['stopped']));
    expect(model.lives.map(({ bot }) => bot).filter((bot) => bot === 'stopped')).toHaveLength(2);
  });

  it('starts a bot that is wanted again while it is being forgotten', async () => {
    const kept = modelRecords();
    let forgotten: () => void = () => undefined;
    const isForgotten = new Promise<void>((resolve) => {
      forgotten = resolve;
    });
    const forgetting = vi.fn(kept.records.forget);
    const forget = async (bot: string) => {
      await forgetting(bot);
      await isForgotten;
    };
    const host = start({ kept: { ...kept, records: { ...kept.records, forget } } });
    host.list(aSpec({ name: 'a' }), aSpec({ name: 'b' }), aSpec({ name: 'c' }));
    await until(() => expect(host.running()).toEqual(['a', 'b', 'c']));
    host.list(aSpec({ name: 'b' }), aSpec({ name: 'c' }));
    await until(() => expect(host.model.signals.map(({ name }) => name)).toEqual(['rt-a']));
    host.model.end('rt-a', 0);
    await until(() => expect(host.model.instances.has('rt-a')).toBe(false));
    for (const name of [...host.model.instances.keys()])
      if (name.startsWith('rtd-')) host.model.instances.delete(name);
    host.model.told(undefined);
    await until(() => expect(forgetting).toHaveBeenCalled());
    host.list(aSpec({ name: 'a' }), aSpec({ name: 'b' }), aSpec({ name: 'c' }));
    forgotten();
    await until(() => expect(host.running()).toEqual(['a', 'b', 'c']));
  });

  it('forgets a bot that is gone', async () => {
    const { list, running, loop, model, kept } = start();
    list(aSpec({ name: 'a' }), aSpec({ name: 'b' }), aSpec({ name: 'c' }));
    await until(() => expect(running()).toEqual(['a', 'b', 'c']));
    list(aSpec({ name: 'a' }), aSpec({ name: 'b' }));
    await until(() => expect(model.signals.length).toBe(1));
    model.end('rt-c', 143);
    await until(() => expect(model.instances.has('rt-c')).toBe(false));
    for (const name of [...model.instances.keys()]) if (name.startsWith('rtd-')) model.instances.delete(name);
    model.told(undefined);
    await until(() => expect(loop.bots()).toEqual(['a', 'b']));
    expect([...kept.kept.keys()]).toEqual(['a', 'b']);
  });
});
