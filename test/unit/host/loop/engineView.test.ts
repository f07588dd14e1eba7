import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Engine, Instance } from '../../../../src/host/engine/engine.ts';
import { createEngineView } from '../../../../src/host/loop/engineView.ts';
import { fakeClock } from '../../../support/fakeClock.ts';

const instance = (state: Instance['state']): Instance => ({
  name: 'rt-a',
  id: 'i1',
  bot: 'a',
  role: 'bot',
  hash: 'h',
  run: undefined,
  state,
  createdAt: 0,
  startedAt: undefined,
  endedAt: undefined,
  exitCode: undefined,
  outOfMemory: false,
  error: undefined,
  address: undefined,
});

/** An engine whose answers come when the test says so. */
function slowEngine() {
  const answers: ((state: Instance['state']) => void)[] = [];
  const engine = {
    inspect: () =>
      new Promise<Instance>((resolve) => {
        answers.push((state) => resolve(instance(state)));
      }),
    list: async () => [instance('created')],
    watch: async () => ({ ended: new Promise<void>(() => undefined) }),
  } as unknown as Engine;
  return { engine, answers };
}

describe('what is known of the engine', () => {
  it('is the answer to whoever asked, though somebody has asked again since', async () => {
    const { engine, answers } = slowEngine();
    const stop = new AbortController();
    const view = createEngineView(engine, systemClock, {
      changed: () => {},
      answered: () => {},
      lost: () => {},
    });
    const running = view.run(stop.signal);
    await expect.poll(() => view.of('a')?.[0]?.state).toBe('created');
    const first = view.refresh(['rt-a'], stop.signal);
    const second = view.refresh(['rt-a'], stop.signal);
    answers[0]!('running');
    await first;
    expect(view.of('a')?.[0]?.state).toBe('running');
    answers[1]!('ended');
    await second;
    expect(view.of('a')?.[0]?.state).toBe('ended');
    stop.abort();
    await running;
  });

  it('is not put back by an answer that is late', async () => {
    const { engine, answers } = slowEngine();
    const stop = new AbortController();
    const view = createEngineView(engine, systemClock, {
      changed: () => {},
      answered: () => {},
      lost: () => {},
    });
    const running = view.run(stop.signal);
    await expect.poll(() => view.of('a')?.[0]?.state).toBe('created');
    const first = view.refresh(['rt-a'], stop.signal);
    const second = view.refresh(['rt-a'], stop.signal);
    answers[1]!('ended');
    await second;
    answers[0]!('running');
    await first;
    expect(view.of('a')?.[0]?.state).toBe('ended');
    stop.abort();
    await running;
  });

  it('is listed anew each minute, also when the clock was set back meanwhile', async () => {
    let lists = 0;
    const { engine } = slowEngine();
    const list = async () => {
      lists += 1;
      return [];
    };
    const clock = fakeClock();
    const stop = new AbortController();
    const events = { changed: () => {}, answered: () => {}, lost: () => {} };
    const running = createEngineView({ ...engine, list }, clock, events).run(stop.signal);
    await clock.advance(1);
    expect(lists).toBe(1);
    clock.set(clock.now() - 86_400_000);
    await clock.advance(60_000);
    await clock.advance(60_000);
    expect(lists).toBe(3);
    stop.abort();
    await running;
  });
});
