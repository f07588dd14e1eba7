import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer, startContainer } from '../support/container/container.ts';
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

/** Has nearly as many threads as there may be, and takes its time to end in order. */
const fills = `
import os, signal, threading, time
def ends(*_):
    time.sleep(2.5)
    open(os.path.dirname(os.environ["STATE_DIR"]) + "/ended", "w").write("in order")
    print("ended in order", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, ends)
def number(name):
    here = "/sys/fs/cgroup/pids." if os.path.exists("/sys/fs/cgroup/pids.max") else "/sys/fs/cgroup/pids/pids."
    return int(open(here + name).read())
while number("current") < number("max") * 0.9:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("full", flush=True)
while True:
    time.sleep(1)
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

  test('a bot that fills its limit in good order keeps the grace of its end', async () => {
    const env = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': fills },
    });
    await using bot = await startContainer({ image: image.tag, env, pidsLimit: 80 });
    await bot.waitForOutput('full');
    await bot.stop(30);
    const { stdout, stderr, exitRecord } = await bot.ended();
    expect(stdout, stderr).toContain('ended in order');
    expect(exitRecord).toMatchObject({ stateSaved: true });
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
