import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';

const image = await universalImage();

/** Says as whom it runs and in which of its lives, and leaves what takes capabilities to restore: modes, times, links, folders. */
const counts = `
import os
state = os.path.dirname(os.environ["STATE_DIR"])
lives = 1
if os.path.exists(state + "/deep/er/lives"):
    assert os.stat(state + "/deep").st_mode & 0o777 == 0o700
    assert os.stat(state + "/deep").st_uid == os.getuid()
    assert os.stat(state + "/deep/er/lives").st_mode & 0o777 == 0o640
    assert int(os.stat(state + "/deep/er/lives").st_mtime) == 10**9
    assert os.readlink(state + "/link") == "deep/er"
    lives += int(open(state + "/deep/er/lives").read())
else:
    os.makedirs(state + "/deep/er")
    os.symlink("deep/er", state + "/link")
open(state + "/deep/er/lives", "w").write(str(lives))
os.chmod(state + "/deep/er/lives", 0o640)
os.chmod(state + "/deep", 0o700)
os.utime(state + "/deep/er/lives", (1e9, 1e9))
print(os.getuid(), lives)
`;

const ways = /as that user \(--user 1000:1000.*or leave root/s;

describe.skipIf(image.missing !== undefined)('root with fewer capabilities', { timeout: 120_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  const deploy = () =>
    bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': counts, 'lib/more.py': '' },
    });
  const run = (env: Readonly<Record<string, string>>, capDrop: string[], more = {}) =>
    runContainer({ image: image.tag, env, capDrop, ...more });
  const doctor = (env: Readonly<Record<string, string>>, capDrop: string[]) =>
    run(env, capDrop, { entrypoint: 'runtime', args: ['doctor'] });

  test.each(['FOWNER', 'KILL', 'FSETID', 'SETPCAP', 'NET_RAW'])(
    'without CAP_%s a bot goes on from what is saved',
    async (name) => {
      const env = await deploy();
      expect(await run(env, [])).toMatchObject({ exit: 0, stdout: '1000 1\n' });
      expect(await run(env, [name])).toMatchObject({ exit: 0, stdout: '1000 2\n' });
      expect(await run(env, [])).toMatchObject({ exit: 0, stdout: '1000 3\n' });
      expect((await doctor(env, [name])).exit).toBe(0);
    },
  );

  test.each(['CHOWN', 'DAC_OVERRIDE', 'SETUID', 'SETGID', 'ALL'])(
    'without CAP_%s the start says what is missing, doctor says the same, and the saved state stays',
    async (name) => {
      const env = await deploy();
      expect(await run(env, [])).toMatchObject({ exit: 0 });
      const start = await run(env, [name]);
      expect(start).toMatchObject({ exit: 78, stdout: '', stderr: expect.stringMatching(ways) });
      expect(start.stderr).toContain(
        name === 'ALL' ? 'CAP_SETUID, CAP_SETGID, CAP_DAC_OVERRIDE, CAP_CHOWN' : `CAP_${name}`,
      );
      const examined = await doctor(env, [name]);
      expect(examined).toMatchObject({ exit: 78, stdout: expect.stringMatching(ways) });
      expect(await run(env, [])).toMatchObject({ exit: 0, stdout: '1000 2\n' });
    },
  );

  test('a bot that is root as well needs none', async () => {
    const env = { ...(await deploy()), BOT_USER: 'none' };
    expect(await run(env, ['ALL'])).toMatchObject({ exit: 0, stdout: '0 1\n' });
    expect(await run(env, ['ALL'])).toMatchObject({ exit: 0, stdout: '0 2\n' });
  });

  test('without CAP_KILL a stop reaches the bot and whatever it has started', async () => {
    const env = await bots.deploy({
      kind: 'command',
      entrypoint:
        'cd "$(dirname "$STATE_DIR")"; trap "echo heard > heard; exit 4" TERM; (trap "" TERM; while :; do sleep 1; done) & echo up; while :; do sleep 0.1; done',
      files: { none: '' },
    });
    await using container = await startContainer({ image: image.tag, env, capDrop: ['KILL'] });
    await container.waitForOutput('up');
    await container.stop(30);
    expect(await container.ended()).toMatchObject({ exit: 4, exitRecord: { code: 4, stateSaved: true } });
    const look = { ...env, ENTRYPOINT: 'cat "$(dirname "$STATE_DIR")"/heard' };
    expect((await run(look, [])).stdout).toBe('heard\n');
  });
});
