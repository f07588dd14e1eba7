import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { claim, parseClaim, resumeClaim, serializeClaim } from '../../../../../src/bot/state/claim/claim.ts';
import { openPublisher } from '../../../../../src/bot/state/publish/openPublisher.ts';
import { listSnapshots } from '../../../../../src/bot/state/read/snapshots.ts';
import { publishOrCheck } from '../../../../../src/bot/sync/publishOrCheck.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { withRetry } from '../../../../../src/store/retry/retry.ts';
import { signal, TestBot } from '../support/bot.ts';
import { DyingStore } from '../support/dyingStore.ts';
import { treeOf } from '../support/treeOf.ts';

const fenced = expect.objectContaining({ name: 'RuntimeError', code: 'fenced' });

/** A store that does as if conditions were not there. */
function unconditional(store: ObjectStore): ObjectStore {
  return {
    ...store,
    put: (key, body, options) =>
      store.put(key, body, { ...options, ifMatch: undefined, ifNoneMatch: undefined }),
  };
}

test('an older instance is refused, and says so without publishing anything', async () => {
  await using bot = await TestBot.open();
  const older = await bot.start('a');
  const newer = await bot.start('b');
  writeFileSync(join(older.dir, 'x'), 'older');
  writeFileSync(join(newer.dir, 'x'), 'newer');
  await expect(older.publisher.checkGeneration({ signal })).rejects.toEqual(fenced);
  await expect(older.publisher.publish({ signal })).rejects.toEqual(fenced);
  await newer.publisher.publish({ signal });
  await newer.publisher.checkGeneration({ signal });
  await expect(older.publisher.publish({ signal })).rejects.toEqual(fenced);
  expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(newer.dir));
});

test('eight start at once: each has a generation of its own, and one can publish', async () => {
  await using bot = await TestBot.open();
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, i) => claim(bot.context(), { holder: `holder-${i}`, signal })),
  );
  expect(claims.map(({ generation }) => generation).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const alive: number[] = [];
  for (const { generation, holder } of claims) {
    await resumeClaim(bot.context(), { generation, holder }, signal).then(
      () => alive.push(generation),
      (error: unknown) => expect(error).toEqual(fenced),
    );
  }
  expect(alive).toEqual([8]);
});

test('a claim whose answer was lost is known for our own', async () => {
  await using bot = await TestBot.open();
  await bot.start('a');
  let call = 0;
  const losing: ObjectStore = {
    ...bot.store,
    put: async (key, body, options) => {
      const result = await bot.store.put(key, body, options);
      if (++call === 1) await new DyingStore(bot.store, 1, 'before').store.head(key);
      return result;
    },
  };
  expect(await claim(bot.context(losing), { holder: 'unlucky', signal })).toMatchObject({ generation: 2 });
});

test('a store that ignores conditions is found out, warned of, and fenced by looking', async () => {
  await using bot = await TestBot.open();
  const store = unconditional(bot.store);
  const older = await bot.start('a', { store });
  writeFileSync(join(older.dir, 'x'), 'older');
  expect(await older.publisher.publish({ signal })).toMatchObject({ sequence: 1 });
  expect(bot.warnings).toEqual(['the store ignores conditional writes: fencing is weaker']);
  const newer = await bot.start('b', { store });
  writeFileSync(join(older.dir, 'x'), 'older still');
  await expect(older.publisher.publish({ signal })).rejects.toEqual(fenced);
  expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(newer.dir));
});

test('a store that is away for a moment when it is asked about conditions is not taken for one that ignores them', async () => {
  await using bot = await TestBot.open();
  let failures = 0;
  const failing: ObjectStore = {
    ...bot.store,
    put: async (key, body, options) => {
      if (options?.mayBeThere && failures++ === 0)
        throw new RuntimeError('unavailable', 'full', { retryable: true });
      return await bot.store.put(key, body, options);
    },
  };
  const policy = { deadlineMs: 60_000, baseMs: 1, capMs: 1 };
  const store = withRetry(failing, policy, { clock: systemClock, random: Math.random });
  const { publisher, dir } = await bot.start('a', { store });
  writeFileSync(join(dir, 'x'), 'x');
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1 });
  expect([failures, bot.warnings]).toEqual([2, []]);
});

test('a claim goes to another process as text', async () => {
  await using bot = await TestBot.open();
  const { claim: taken, dir } = await bot.start('a');
  const copy = parseClaim(JSON.parse(JSON.stringify(serializeClaim(taken))), bot.name);
  expect(copy).toEqual(taken);
  const limits = { maxBytes: 1e6, maxFileBytes: undefined };
  const publisher = openPublisher(bot.context(), copy, { dir, limits, keep: 1, freezer: undefined });
  writeFileSync(join(dir, 'x'), 'x');
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1 });
  publisher.close();
});

test('a daemon that starts again and finds no head: damage, and no takeover', async () => {
  await using bot = await TestBot.open();
  const { claim } = await bot.start('a');
  await bot.store.delete(`${bot.name}/head`);
  await expect(resumeClaim(bot.context(), claim, signal)).rejects.toMatchObject({
    code: 'damaged',
    hint: expect.stringContaining('state recover'),
  });
});

describe('a head that is gone under a running instance', () => {
  const gone = 'the head of the saved state was gone, and has been written again';
  const large = (letter: string) => letter.repeat(100_000);

  test('is written again by whoever held it, with all that it named', async () => {
    await using bot = await TestBot.open();
    const { publisher, dir } = await bot.start('a');
    for (const text of ['one', large('2')]) {
      writeFileSync(join(dir, 'x'), text);
      await publisher.publish({ signal });
    }
    rmSync(bot.object('head'));
    await publisher.checkGeneration({ signal });
    expect(bot.warnings).toEqual([gone]);
    expect((await listSnapshots(bot.context(), signal)).map(({ sequence }) => sequence)).toEqual([1, 2]);
    rmSync(bot.object('head'));
    writeFileSync(join(dir, 'x'), large('3'));
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 3 });
    expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
    await expect(publisher.checkGeneration({ signal })).rejects.toEqual(fenced);
  });

  test('with everything else: the whole state goes up again', async () => {
    await using bot = await TestBot.open();
    const { publisher, dir } = await bot.start('a');
    writeFileSync(join(dir, 'x'), large('1'));
    await publisher.publish({ signal });
    rmSync(bot.object(''), { recursive: true });
    writeFileSync(join(dir, 'y'), 'small');
    expect(await publisher.publish({ signal })).toMatchObject({ files: 2 });
    expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
  });

  test('with nothing changed and packs gone: the next save has them again', async () => {
    await using bot = await TestBot.open();
    const { publisher, dir } = await bot.start('a');
    writeFileSync(join(dir, 'x'), large('1'));
    await publisher.publish({ signal });
    for (const name of ['head', 'packs']) rmSync(bot.object(name), { recursive: true });
    expect(await publishOrCheck(publisher, { signal, still: true })).toMatchObject({ files: 1 });
    expect(await publishOrCheck(publisher, { signal, still: true })).toBeUndefined();
    expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
  });

  test('after another instance has saved is still that one’s', async () => {
    await using bot = await TestBot.open();
    const older = await bot.start('a');
    const newer = await bot.start('b');
    writeFileSync(join(newer.dir, 'x'), large('b'));
    await newer.publisher.publish({ signal });
    expect(readdirSync(bot.object('manifests'))).toHaveLength(1);
    rmSync(bot.object('head'));
    writeFileSync(join(older.dir, 'x'), large('a'));
    await expect(older.publisher.publish({ signal })).rejects.toEqual(fenced);
    await newer.publisher.checkGeneration({ signal });
    expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(newer.dir));
  });

  test('is not put back over one that somebody else has made', async () => {
    await using bot = await TestBot.open();
    const older = await bot.start('a');
    rmSync(bot.object('head'));
    const newer = await bot.start('b');
    await expect(older.publisher.checkGeneration({ signal })).rejects.toEqual(fenced);
    await newer.publisher.checkGeneration({ signal });
  });
});
