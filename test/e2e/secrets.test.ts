import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type ContainerOptions, runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, dockerWithInput, universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('credentials in containers', { timeout: 120_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  async function spyIn(options: Partial<ContainerOptions>): Promise<Findings> {
    const env = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'spy.py',
      files: { 'spy.py': spy },
      // Backwards, so that the bot finds only what others leave lying about.
      config: { needle: [...inject('minio').secretKey].reverse().join('') },
    });
    const { exit, stdout, stderr } = await runContainer({ image: image.tag, env, ...options });
    expect(exit, stderr).toBe(0);
    return JSON.parse(stdout) as Findings;
  }

  test('started as root, the bot is another user and finds none', async () => {
    const findings = await spyIn({});
    expect(findings).toMatchObject({ uid: 1000, groups: [], capabilities: 0, readable: [], holding: [] });
    expect(findings.roles).toEqual(['daemon', 'execute', 'guard', 'tini']);
  });

  test('started as root, the bot can neither signal the runtime nor write its logs', async () => {
    const { signalled, writable } = await spyIn({});
    expect({ signalled, writable }).toEqual({ signalled: [], writable: [] });
  });

  test('started as an ordinary user in a hardened container, the bot works and finds none', async () => {
    const findings = await spyIn(hardened);
    expect(findings).toMatchObject({ uid: 1000, capabilities: 0, readable: [], holding: [] });
    expect(findings.roles).toEqual(['daemon', 'execute', 'guard', 'tini']);
  });

  test('with executables that the bot can read it finds them: the spy is good', async () => {
    const tag = `runtime-test-readable:${randomUUID()}`;
    const readable = `FROM ${image.tag}\nRUN chmod 0755 /usr/bin/tini /usr/local/bin/runtime\n`;
    await dockerWithInput(readable, 'build', '--force-rm', '--tag', tag, '-');
    try {
      const { holding } = await spyIn({ ...hardened, image: tag });
      expect(holding).toEqual(expect.arrayContaining(['/proc/tini/environ', '/proc/execute/environ']));
    } finally {
      await docker('image', 'rm', '--force', tag);
    }
  });
});

interface Findings {
  readonly uid: number;
  readonly groups: readonly number[];
  /** Effective and permitted, as a mask. */
  readonly capabilities: number;
  /** Which processes of the runtime it saw. */
  readonly roles: readonly string[];
  /** Files of those processes that it could read. */
  readonly readable: readonly string[];
  /** Files, anywhere, that hold the secret key. */
  readonly holding: readonly string[];
  readonly signalled: readonly string[];
  readonly writable: readonly string[];
}

const spy = String.raw`
import json, os, stat, time

def role(pid):
    try:
        words = [w for w in open(f'/proc/{pid}/cmdline').read().split('\0') if not w.startswith('--node-options')]
    except OSError:
        return None
    if words[0] == '/usr/bin/tini':
        return 'tini'
    if words[0] == '/bin/sh' and 'end-groups' in words:
        return 'guard'
    return words[1] if words[0] == '/usr/local/bin/runtime' else None

def read(path):
    try:
        with open(path, 'rb') as file:
            return file.read(1 << 20)
    except OSError:
        return None

def opens(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
        return True
    except OSError:
        return False

def processes():
    return {pid: role(pid) for pid in os.listdir('/proc') if pid.isdigit() and role(pid)}

def files():
    for folder, folders, names in os.walk('/'):
        if folder == '/':
            folders[:] = [name for name in folders if name not in ('proc', 'sys')]
        for name in names:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path

def main(config):
    # The daemon is started after the bot.
    deadline = time.monotonic() + 20
    while 'daemon' not in processes().values() and time.monotonic() < deadline:
        time.sleep(0.05)
    runtime = processes()
    needle = config['needle'][::-1].encode()
    status = dict(line.split(':', 1) for line in open('/proc/self/status'))
    found = {
        'uid': os.getuid(),
        'groups': [group for group in os.getgroups() if group != os.getgid()],
        'capabilities': int(status['CapEff'], 16) | int(status['CapPrm'], 16),
        'roles': sorted(set(runtime.values())),
        'readable': [], 'holding': [], 'signalled': [],
        'writable': [p for p in ('/var/the0', '/var/the0/logs', '/etc/runtime/kinds.d') if os.access(p, os.W_OK)],
    }
    for pid, name in runtime.items():
        for file in ('environ', 'mem', 'fd', 'cwd'):
            # The guard is a shell, which every user can read, and has nothing to be read.
            if name != 'guard' and opens(f'/proc/{pid}/{file}'):
                found['readable'].append(f'{name}/{file}')
        for file in ('environ', 'cmdline', 'comm', 'status'):
            if needle in (read(f'/proc/{pid}/{file}') or b''):
                found['holding'].append(f'/proc/{name}/{file}')
        try:
            os.kill(int(pid), 0)
            found['signalled'].append(name)
        except PermissionError:
            pass
    own = read('/proc/self/environ')
    if needle in own:
        found['holding'].append('/proc/self/environ')
    found['holding'] += [path for path in files() if needle in (read(path) or b'')]
    print(json.dumps(found))
`;
