import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, dockerWithInput, targetImage, universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';

const { missing } = await universalImage();

describe.skipIf(missing !== undefined)(
  'the agent in an image of somebody’s own',
  { timeout: 180_000 },
  () => {
    let bots: Awaited<ReturnType<typeof containerBots>>;
    let agent: string;
    let native: string;
    beforeAll(async () => {
      bots = await containerBots(inject('minio'));
      agent = await targetImage('agent');
      native = await targetImage('native');
    }, 300_000);

    /** Builds an image from a Dockerfile, with our tags in place of those in docs/images.md. Its own tag. */
    async function built(dockerfile: string): Promise<string> {
      const tag = `runtime-test:${randomUUID()}`;
      const text = dockerfile.replaceAll('runtime:agent', agent).replaceAll('runtime:native', native);
      await dockerWithInput(text, 'build', '--quiet', '--force-rm', '--tag', tag, '-');
      onTestFinished(async () => void (await docker('image', 'rm', '--force', tag)));
      return tag;
    }

    test.each([
      { how: 'as root', options: {} },
      { how: 'as an ordinary user, hardened', options: hardened },
    ])(
      'a Debian with nothing installed runs a bot twice as docs/images.md says ($how)',
      async ({ options }) => {
        const [dockerfile = ''] = await dockerfilesInDocs();
        const image = await built(dockerfile);
        const env = await bots.deploy({
          kind: 'command',
          entrypoint: 'sh bot.sh',
          files: { 'bot.sh': countsRuns },
        });
        const lives = [];
        for (let life = 0; life < 2; life += 1) lives.push(await runContainer({ image, env, ...options }));
        expect(lives.map(({ exit, stdout }) => [exit, stdout])).toEqual([
          [0, 'run 1\n'],
          [0, 'run 2\n'],
        ]);
      },
    );

    test('the executable alone does not start there, and the message names the library', async () => {
      const image = await built(
        'FROM debian:bookworm-slim\nCOPY --from=runtime:agent /usr/local/bin/runtime /usr/local/bin/runtime\n',
      );
      const { exit, stderr } = await runContainer({ image, entrypoint: 'runtime', args: ['version'] });
      expect(exit).toBe(127);
      expect(stderr).toContain('libatomic.so.1: cannot open shared object file');
    });

    test('a system without libstdc++ starts it with ours beside it, and does not without', async () => {
      const [dockerfile = '', libraries = ''] = await dockerfilesInDocs();
      const bare = `${dockerfile}\nRUN rm /usr/lib/*/libstdc++.so.* /usr/lib/*/libgcc_s.so.*\n`;
      const version = { entrypoint: 'runtime', args: ['version'] };
      const without = await runContainer({ image: await built(bare), ...version });
      expect(without.stderr).toContain('libstdc++.so.6: cannot open shared object file');
      const beside = await runContainer({ image: await built(`${bare}${libraries}\n`), ...version });
      expect(beside).toMatchObject({ exit: 0, stdout: expect.stringContaining('runtime ') });
    });
  },
);

const countsRuns = `set -e
mkdir -p "$STATE_DIR"
runs=$(($(cat "$STATE_DIR/runs" 2>/dev/null || echo 0) + 1))
echo $runs > "$STATE_DIR/runs"
echo "run $runs"
`;

/** The `dockerfile` blocks of docs/images.md, in order. */
async function dockerfilesInDocs(): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, '../../docs/images.md'), 'utf8');
  return [...text.matchAll(/^ *```dockerfile\n([\s\S]*?)^ *```$/gm)].map(([, block = '']) => block);
}
