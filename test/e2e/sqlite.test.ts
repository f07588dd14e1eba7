import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { listSnapshots } from '../../src/bot/state/read/snapshots.ts';
import { restoreTo } from '../../src/bot/state/restore/restoreTo.ts';
import { startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { scaled } from '../support/scale.ts';
import { openStateStore } from '../support/store/stateStore.ts';
import { sqliteCheck, sqliteWriter } from '../unit/bot/state/support/sqliteWriter.ts';

const image = await universalImage();
const LIVES = scaled(3);

/** Its negative control, without freezing and reading again, is in test/integration/state/consistency.test.ts. */
test.skipIf(image.missing !== undefined)(
  'containers are killed while their bot commits to SQLite as fast as it can: every snapshot is intact',
  { timeout: 120_000 + LIVES * 20_000 },
  async () => {
    const minio = inject('minio');
    const bots = await containerBots(minio);
    const env = await bots.deploy({
      kind: 'command',
      entrypoint:
        'db="$(dirname "$STATE_DIR")/bot.db"; [ ! -e "$db" ] || python3 check.py "$db" || exit 3; exec python3 write.py "$db"',
      files: { 'check.py': sqliteCheck, 'write.py': sqliteWriter },
    });
    const often = { SYNC_INTERVAL: '200ms', SYNC_ON_CHANGE: '0', STATE_KEEP: '1000' };
    using stores = await openStateStore(minio);
    const context = { store: stores.store, bot: env.BOT_ID, clock: systemClock, warn: () => {} };
    const { signal } = new AbortController();
    // Where 200 ms are too few on a machine that stands still, that is said, and nothing else is promised.
    const consistentOnes = async () => {
      const snapshots = await listSnapshots(context, signal).catch(() => []);
      return snapshots.filter(({ consistent }) => consistent);
    };
    // Nothing of a life is left but what the store has.
    for (let life = 1; life <= LIVES; life += 1) {
      await using bot = await startContainer({ image: image.tag, env: { ...env, ...often } });
      // Only a database that passed its check is written to.
      await bot.waitForOutput('ready');
      // Killed at any moment, but not before there is something of this life.
      const before = (await consistentOnes()).length;
      await expect
        .poll(async () => (await consistentOnes()).length, { timeout: 60_000 })
        .toBeGreaterThan(before);
      await sleep(Math.random() * 2500);
      await bot.kill();
    }
    const snapshots = await consistentOnes();
    expect(snapshots.length).toBeGreaterThanOrEqual(LIVES);
    const limits = { maxBytes: 1e9, maxFileBytes: undefined };
    const work = await temporaryDirectory();
    let reached = 0;
    for (const { sequence } of snapshots) {
      const dir = join(work, `${sequence}`);
      await restoreTo(context, { dir, sequence, path: undefined, owner: undefined, ...limits, signal });
      const said = execFileSync('/usr/bin/python3', ['-c', sqliteCheck, join(dir, 'bot.db')], {
        encoding: 'utf8',
      });
      const value = Number(/^good (\d+)$/m.exec(said)?.[1]);
      expect(value).toBeGreaterThanOrEqual(reached);
      reached = value;
    }
    expect(reached).toBeGreaterThan(100);
  },
);
