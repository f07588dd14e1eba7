import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, dockerWithInput, targetImage } from '../support/container/docker.ts';

const asked = process.env.RUNTIME_TEST_ARM64 === '1';

// Everything in it runs under QEMU, the making of the image as well.
test.skipIf(!asked)(
  'arm64: the agent in a bare Debian runs a bot twice (RUNTIME_TEST_ARM64=1)',
  { timeout: 1_800_000 },
  async () => {
    const agent = await targetImage('agent', 'arm64');
    const image = `runtime-test:${randomUUID()}`;
    const dockerfile = [
      'FROM debian:bookworm-slim-arm64',
      `COPY --from=${agent} / /`,
      // Without -s: QEMU does not know that call.
      'ENTRYPOINT ["/usr/local/bin/tini", "--", "/usr/local/bin/runtime", "execute"]',
    ];
    const build = ['build', '--quiet', '--force-rm', '--platform', 'linux/arm64', '--tag', image, '-'];
    await dockerWithInput(dockerfile.join('\n'), ...build);
    onTestFinished(async () => void (await docker('image', 'rm', '--force', image)));

    const bots = await containerBots(inject('minio'));
    const env = {
      ...(await bots.deploy({ kind: 'command', entrypoint: 'sh bot.sh', files: { 'bot.sh': countsRuns } })),
      // Starting a second of our processes takes seconds there.
      STOP_TIMEOUT: '60s',
    };
    const lives = [];
    for (let life = 0; life < 2; life += 1) lives.push(await runContainer({ image, env }));
    expect(lives.map(({ exit, stdout }) => [exit, stdout])).toEqual([
      [0, 'run 1 on aarch64\n'],
      [0, 'run 2 on aarch64\n'],
    ]);
    expect(lives[1]?.exitRecord).toMatchObject({ source: 'bot', exit: 0, stateSaved: true, logsSaved: true });
  },
);

const countsRuns = `set -e
mkdir -p "$STATE_DIR"
runs=$(($(cat "$STATE_DIR/runs" 2>/dev/null || echo 0) + 1))
echo $runs > "$STATE_DIR/runs"
echo "run $runs on $(uname -m)"
`;
