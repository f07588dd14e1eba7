import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';

const image = await universalImage();

/** Starts as many processes as it can, and goes on all the same: with how many, and whether there is a daemon beside them. */
const forks = `
import os, time
started = 0
try:
    while started < 200:
        if os.fork() == 0:
            time.sleep(6)
            os._exit(0)
        started += 1
except OSError:
    pass
open(os.path.dirname(os.environ["STATE_DIR"]) + "/started", "w").write("yes")
time.sleep(4)
lines = [open("/proc/%s/cmdline" % pid).read() for pid in os.listdir("/proc") if pid.isdigit()]
print(started < 200, any("daemon" in line for line in lines))
`;

describe.skipIf(image.missing !== undefined)('a container of few processes', { timeout: 120_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  const deploy = () =>
    bots.deploy({ kind: 'python3.11', entrypoint: 'main.py', files: { 'main.py': forks } });
  const doctor = { entrypoint: 'runtime', args: ['doctor'] };

  test('a bot that takes all of them leaves the runtime its own, and its state is saved', async () => {
    const env = await deploy();
    const life = { image: image.tag, env, pidsLimit: 20 };
    const { exit, stdout, stderr, exitRecord } = await runContainer(life);
    expect({ exit, stdout }, stderr).toEqual({ exit: 0, stdout: 'True True\n' });
    expect(stderr).not.toContain('died');
    expect(exitRecord).toMatchObject({ stateSaved: true });
    const examined = await runContainer({ ...life, ...doctor });
    expect(examined.stdout).toContain('20 processes and threads are allowed');
  });

  test('one that has not even those is refused, by doctor as well', async () => {
    const env = await deploy();
    const life = { image: image.tag, env, pidsLimit: 15 };
    expect(await runContainer(life)).toMatchObject({
      exit: 78,
      stderr: expect.stringContaining('--pids-limit'),
    });
    expect((await runContainer({ ...life, ...doctor })).exit).toBe(78);
  });
});
