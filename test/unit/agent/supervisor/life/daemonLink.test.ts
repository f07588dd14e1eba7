import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type DaemonLink, linkDaemon } from '../../../../../src/agent/supervisor/life/daemonLink.ts';
import { signalProcess } from '../../../../../src/base/process/signalProcess.ts';
import { type FakeClock, fakeClock } from '../../../../support/fakeClock.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { memoryLog } from '../../../../support/memoryLog.ts';

/** A process in the daemon's place: keeps what it is told in `told`, one line each, and does what `body` says. */
async function daemon(body: string) {
  const dir = await temporaryDirectory();
  const told = join(dir, 'told');
  const program = join(dir, 'daemon.cjs');
  await writeFile(told, '');
  await writeFile(
    program,
    `const { appendFileSync, readFileSync } = require('node:fs');
     const told = () => readFileSync(${JSON.stringify(told)}, 'utf8');
     const outcome = { stateSaved: true, logsSaved: true };
     const hang = () => process.kill(process.pid, 'SIGSTOP');
     const finished = () => process.send({ type: 'finished', outcome });
     const on = (message, life) => { ${body} };
     process.on('disconnect', () => process.exit());
     let life;
     process.on('message', (message) => {
       life ??= told().split('\\n').filter((line) => line.includes('"start"')).length + 1;
       appendFileSync(${JSON.stringify(told)}, JSON.stringify(message) + '\\n');
       on(message, life);
     });`,
  );
  const clock = fakeClock();
  const { log, lines } = memoryLog();
  let lags = 0;
  const link: DaemonLink = linkDaemon({
    self: { file: process.execPath, args: [program] },
    env: {},
    clock,
    random: () => 0.5,
    log,
    freezer: { freeze: () => true, thaw: () => {} },
    pulled: {
      generation: 3,
      holder: 'me',
      etag: 'tag',
      head: 'the head',
      previous: { generation: 2, holder: 'before' },
    },
    botGroup: () => 4321,
    onReady: () => {},
    onPublished: () => {},
    onLogLag: () => {
      lags += 1;
    },
    onEvent: () => {},
    onFenced: () => {},
  });
  onTestFinished(() => {
    if (link.pid !== undefined) signalProcess(link.pid, 'SIGKILL');
  });
  const lives = async () => (await messages()).filter(({ type }) => type === 'start').length;
  const messages = async () =>
    (await readFile(told, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { type: string; budgetMs?: number; pulled?: unknown });
  return { link, clock, lines, lives, messages, lags: () => lags };
}

/** Fake time passes, in steps that leave a process time to start, until something real has happened. */
async function passing(clock: FakeClock, stepMs: number, until: () => Promise<boolean>): Promise<void> {
  await expect
    .poll(
      async () => {
        await clock.advance(stepMs);
        return until();
      },
      { timeout: 40_000, interval: 250 },
    )
    .toBe(true);
}

test('one that dies is started again, and reads the head itself', async () => {
  const { clock, lives, messages } = await daemon('if (life < 3) process.exit(9)');
  await passing(clock, 100, async () => (await lives()) === 3);
  const [first, second] = await messages();
  expect(first).toMatchObject({ pulled: { generation: 3, holder: 'me', etag: 'tag', head: 'the head' } });
  expect(second).toMatchObject({ pulled: { generation: 3, holder: 'me', etag: '', head: '' } });
});

test('one that says nothing for a minute is ended and started again; one that does is not', async () => {
  const { clock, lives, lines, lags } = await daemon(
    'if (life === 1) hang(); else setInterval(() => ["alive", "logs"].forEach((type) => process.send({ type })), 1)',
  );
  await expect.poll(lives).toBe(1);
  await passing(clock, 5000, async () => (await lives()) === 2);
  expect(lines.join('')).toContain('hangs');
  for (let i = 0; i < 20; i += 1) {
    await clock.advance(10_000);
    // It has said something since.
    const before = lags();
    await expect.poll(lags, { timeout: 20_000 }).toBeGreaterThan(before + 1);
  }
  expect(await lives()).toBe(2);
});

test('one that is stopped when it should finish is replaced in time', async () => {
  const { link, clock, lives, messages } = await daemon(
    'if (life === 1) hang(); else if (message.type === "finish") finished()',
  );
  await expect.poll(lives).toBe(1);
  const outcome = link.finish(4000, true);
  await clock.advance(2000);
  expect(await outcome).toEqual({ stateSaved: true, logsSaved: true });
  expect((await messages()).at(-1)).toMatchObject({ type: 'finish', budgetMs: 2000, endedWell: true });
});

test('one that dies in the final sync is told again what is left', async () => {
  const { link, lives, messages } = await daemon(
    'if (message.type === "finish") life < 3 ? process.exit(1) : finished()',
  );
  await expect.poll(lives).toBe(1);
  expect(await link.finish(undefined, false)).toEqual({ stateSaved: true, logsSaved: true });
  expect((await messages()).map(({ type }) => type)).toEqual(Array(3).fill(['start', 'finish']).flat());
});

test.each([
  ['', 'process.exit(1)'],
  // What it has to save may be what it dies of.
  [', ready each time', 'process.send({ type: "ready" }, () => process.exit(1))'],
])('one that dies again and again is given up%s', async (_, death) => {
  const { link, lives } = await daemon(`if (message.type === "finish") ${death}`);
  await expect.poll(lives).toBe(1);
  expect(await link.finish(undefined, false)).toEqual({
    stateSaved: false,
    logsSaved: false,
    reason: 'the sync daemon died again and again',
  });
  expect(await lives()).toBe(3);
});

test('when the budget is over, so is the waiting; what the daemon says until then counts', async () => {
  const late = await daemon('process.send({ type: "alive" })');
  await expect.poll(late.lives).toBe(1);
  const given = late.link.finish(1000, false);
  await expect.poll(async () => (await late.messages()).length).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await late.clock.advance(1100);
  expect(await given).toEqual({ stateSaved: false, logsSaved: false, reason: 'the stop budget ran out' });
});

test('each save is one of its own, in their order, and one that dies of it is asked again', async () => {
  const { link, clock, lives, messages } = await daemon(
    `if (message.type !== 'save') return;
     if (life === 1) process.exit(1);
     globalThis.saves = (globalThis.saves ?? 0) + 1;
     process.send({ type: 'saved', saved: { sequence: globalThis.saves } });`,
  );
  await expect.poll(lives).toBe(1);
  const both = [link.save(), link.save()];
  await passing(clock, 100, async () => (await lives()) === 2);
  expect(await Promise.all(both)).toEqual([{ sequence: 1 }, { sequence: 2 }]);
  const types = (await messages()).map(({ type }) => type);
  expect(types.slice(types.lastIndexOf('start'))).toEqual(['start', 'save', 'save']);
});

test('a save that the end of the container overtakes is told so', async () => {
  const { link, lives } = await daemon('if (message.type === "finish") finished()');
  await expect.poll(lives).toBe(1);
  const save = link.save();
  await link.finish(undefined, false);
  expect(await save).toEqual({ sequence: 0, reason: 'the container was stopped meanwhile' });
  expect(await link.save()).toMatchObject({ reason: expect.any(String) });
});

test.each([-7_200_000, 7_200_000])(
  'a clock that is set by %i ms: one that speaks is left alone, and one that hangs is noticed',
  async (ms) => {
    const { clock, lives, lines } = await daemon('if (life === 1) hang()');
    await expect.poll(lives).toBe(1);
    clock.set(clock.now() + ms);
    await clock.advance(30_000);
    expect(lines.join('')).not.toContain('hangs');
    await passing(clock, 5000, async () => (await lives()) === 2);
    expect(lines.join('')).toContain('hangs');
  },
);
