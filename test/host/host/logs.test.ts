import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { universalImage } from '../../support/container/docker.ts';
import { ownName } from '../../support/host/ownName.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();
const runtime = join(import.meta.dirname, '../../../dist/runtime');

test.skipIf(image.missing !== undefined)(
  'what a bot prints is followed over its restarts, and a scheduled bot’s over its runs',
  async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    const followers: ChildProcess[] = [];
    try {
      await using host = await realHost({ image: image.tag, minio });
      const file = (name: string, type: string, bot: string) =>
        `name: ${name}\ntype: ${type}\nruntime: command\nentrypoints: {bot: '${bot}'}\n`;
      const [endless, timed] = [ownName('a'), ownName('s')];
      const counting =
        'echo "begun $(cat /proc/sys/kernel/random/uuid)"; i=0; while true; do echo "line $((i=i+1))"; sleep 0.3; done';
      host.write({
        [`${endless}/bot.yaml`]: file(endless, 'realtime', counting),
        [`${timed}/bot.yaml`]: `${file(timed, 'scheduled', 'echo "run of $RUN_TIME"')}schedule: {cron: "*/5 * * * * *"}\n`,
      });
      await host.start();
      const until = (check: () => void | Promise<void>) =>
        vi.waitFor(check, { timeout: 90_000, interval: 200 });
      const follow = (bot: string) => {
        const child = spawn(runtime, ['bots', 'logs', bot, '--follow', '--socket', host.socket], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        followers.push(child);
        const said = { child, text: '' };
        child.stdout.on('data', (chunk: Buffer) => {
          said.text += chunk;
        });
        return said;
      };
      const has = (bot: string) => async () =>
        expect((await host.list()).map(({ name }) => name)).toContain(bot);
      await until(has(endless));
      await until(has(timed));
      // Both before anything has been started: what comes is waited for.
      const [a, s] = [follow(endless), follow(timed)];
      const begun = () => new Set(a.text.match(/begun \S+/g)).size;
      await until(() => expect(a.text).toContain('line 3\n'));
      expect(begun()).toBe(1);
      await host.cli('restart', endless);
      await until(() => expect(begun()).toBe(2));
      await until(() => expect(a.text.split('line 3\n').length).toBe(3));
      await until(() => expect(new Set(s.text.match(/run of \S+/g)).size).toBeGreaterThanOrEqual(3));
      // No run twice.
      const runs = s.text.match(/run of \S+/g)!;
      expect(new Set(runs).size).toBe(runs.length);

      // Without --follow it ends by itself; the last lines alone.
      expect((await host.cli('logs', endless, '--tail', '2')).trim().split('\n')).toHaveLength(2);
      const exit = once(a.child, 'exit');
      a.child.kill('SIGINT');
      await exit;
      await expect(host.cli('logs', 'nobody')).rejects.toMatchObject({ code: 66 });
    } finally {
      for (const child of followers) child.kill('SIGKILL');
      await minio.stop();
    }
  },
  300_000,
);
