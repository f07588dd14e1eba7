import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { universalImage } from '../../support/container/docker.ts';
import { ownName } from '../../support/host/ownName.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();
const runtime = join(import.meta.dirname, '../../../dist/runtime');
const execute = promisify(execFile);

const name = ownName('rolled');

/** Writes its name into its state and goes on. */
const bot = (variant: string) =>
  `name: ${name}\ntype: realtime\nruntime: command\nentrypoints: {bot: 'mkdir -p "$STATE_DIR"; echo ${variant} >> "$STATE_DIR/ledger"; while true; do sleep 1; done'}\nstop: {timeout: 2s}\n`;

describe.skipIf(image.missing !== undefined)('a bot that is rolled back', { timeout: 300_000 }, () => {
  test('runs as before; with a sequence on an older snapshot, whenever the host is killed; nothing saved is lost', async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio, env: { SYNC_INTERVAL: '1s' } });
      const state = join(host.data, `bots/${name}/state/.the0-state`);
      const ledger = () => readFileSync(join(state, 'ledger'), 'utf8').trim().split('\n').join(' ');
      const until = (check: () => void | Promise<void>) =>
        vi.waitFor(check, { timeout: 90_000, interval: 300 });
      const stateCommand = async (...args: string[]) => {
        const { endpoint, accessKey, secretKey } = minio;
        const keys = { MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey };
        const { stdout } = await execute(runtime, ['state', ...args], {
          env: { PATH: process.env.PATH, ...keys },
        });
        return stdout;
      };
      const sequences = async () => {
        const text = JSON.stringify(JSON.parse(await stateCommand('ls', name, '--json')));
        return [...text.matchAll(/"sequence":(\d+)/g)].map(([, sequence]) => Number(sequence));
      };
      const savedLedger = async (sequence: number) => {
        const to = join(mkdtempSync(join(host.data, 'looked-')), 'state');
        await stateCommand('restore', name, '--at', String(sequence), '--to', to);
        return readFileSync(join(to, '.the0-state/ledger'), 'utf8');
      };
      host.write({ [`${name}/bot.yaml`]: bot('one') });
      await host.start();
      await until(() => expect(ledger()).toBe('one'));
      let first = 0;
      // The first snapshot of all may be of the moment before it wrote.
      await until(async () => {
        first = Math.max(...(await sequences()));
        expect(await savedLedger(first)).toBe('one\n');
      });

      host.write({ [`${name}/bot.yaml`]: bot('two') });
      await until(() => expect(ledger()).toBe('one two'));
      await host.cli('rollback', name);
      await until(() => expect(ledger()).toBe('one two one'));

      await expect(host.cli('rollback', name, '--at', '999')).rejects.toThrow(/no snapshot 999/);
      const before = await sequences();
      await host.cli('rollback', name, '--at', String(first));
      await host.kill();
      await host.start();
      // The specification before is `two`, and the snapshot is the one that held `one` alone.
      await until(() => expect(ledger()).toBe('one two'));
      await until(async () =>
        expect((await host.events()).filter(({ type }) => type === 'rolled-back').length).toBe(2),
      );
      expect(await sequences()).toEqual(expect.arrayContaining(before));
      const aside = readdirSync(join(host.data, 'trash')).filter((file) => file.endsWith(`-${name}-state`));
      expect(aside.length).toBe(1);
      expect(readFileSync(join(host.data, 'trash', aside[0]!, '.the0-state/ledger'), 'utf8')).toBe(
        'one\ntwo\none\n',
      );
    } finally {
      await minio.stop();
    }
  });
});
