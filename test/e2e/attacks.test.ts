import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';
import { freePort } from '../support/process/freePort.ts';

const image = await universalImage();

/** What a bot can try on the processes that hold the credentials, beside reading what lies about (`secrets.test.ts`). */
describe.skipIf(image.missing !== undefined)('a bot attacks the runtime', { timeout: 180_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  test.each([
    ['as another user', {}],
    ['as the same user', hardened],
  ])('%s: it traces nobody, reads nothing, and no core is left of whom it kills', async (_, options) => {
    const port = await freePort();
    const env = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'attack.py',
      files: { 'attack.py': attack, 'query.py': query },
      config: { needle: [...inject('minio').secretKey].reverse().join('') },
    });
    const { exit, stdout, stderr } = await runContainer({
      image: image.tag,
      env: { ...env, BOT_TYPE: 'realtime', QUERY_ENTRYPOINT: 'query.py', QUERY_PORT: String(port) },
      ...options,
    });
    expect(exit, stderr).toBe(0);
    const found = JSON.parse(stdout) as Findings;
    expect(found.roles).toEqual(['daemon', 'execute', 'query server', 'tini']);
    expect(found).toMatchObject({ succeeded: [], holding: [], control: expect.arrayContaining(['mem']) });
    // The same user may signal: the runtime goes on without the two, and has saved all the same.
    expect(found.killed).toEqual(options === hardened ? ['daemon', 'query server'] : []);
    const look = { ...env, RUNTIME: 'command', ENTRYPOINT: 'cat "$(dirname "$STATE_DIR")"/kept' };
    expect((await runContainer({ image: image.tag, env: look })).stdout).toBe('kept');
  });
});

interface Findings {
  /** Which processes it has found. */
  readonly roles: readonly string[];
  /** Attacks that worked, by the process. */
  readonly succeeded: readonly string[];
  readonly killed: readonly string[];
  /** Files that hold the secret key once some have been killed with a core to be left. */
  readonly holding: readonly string[];
  /** What works on a process of its own; tracing does not where the engine's seccomp profile refuses it to everybody. */
  readonly control: readonly string[];
}

const query = `
import http.server, os
http.server.HTTPServer(("127.0.0.1", int(os.environ["THE0_QUERY_PORT"])), http.server.BaseHTTPRequestHandler).serve_forever()
`;

const attack = String.raw`
import ctypes, json, os, signal, stat, subprocess, time

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE_ATTACH, PTRACE_DETACH = 16, 17

class Piece(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]

def role(pid):
    try:
        words = [w for w in open(f'/proc/{pid}/cmdline').read().split('\0') if not w.startswith('--node-options')]
    except OSError:
        return None
    if words[0] == '/usr/bin/tini':
        return 'tini'
    if words[0] != '/usr/local/bin/runtime':
        return None
    return 'query server' if '--query-server-only' in words else words[1]

def processes():
    return {int(pid): role(pid) for pid in os.listdir('/proc') if pid.isdigit() and role(pid)}

def traces(pid):
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
        return False
    os.waitpid(pid, 0x40000000)
    libc.ptrace(PTRACE_DETACH, pid, None, None)
    return True

def copies(pid):
    buffer = ctypes.create_string_buffer(16)
    mine, theirs = Piece(ctypes.addressof(buffer), 16), Piece(0x400000, 16)
    ctypes.set_errno(0)
    libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
    # An address that is not there is EFAULT: asking was allowed.
    return ctypes.get_errno() != 1

def opens(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
        return True
    except OSError:
        return False

def links(path):
    try:
        os.readlink(path)
        return True
    except OSError:
        return False

def read(path):
    try:
        with open(path, 'rb') as file:
            return file.read(256 << 20)
    except OSError:
        return b''

def files():
    for folder, folders, names in os.walk('/'):
        if folder == '/':
            folders[:] = [name for name in folders if name not in ('proc', 'sys')]
        for name in names:
            path = os.path.join(folder, name)
            try:
                if stat.S_ISREG(os.lstat(path).st_mode):
                    yield path
            except OSError:
                pass

def main(config):
    with open(os.path.dirname(os.environ['STATE_DIR']) + '/kept', 'w') as file:
        file.write('kept')
    deadline = time.monotonic() + 60
    while not {'daemon', 'query server'} <= set(processes().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    runtime = processes()
    found = {'roles': sorted(set(runtime.values())), 'succeeded': [], 'killed': []}
    for pid, name in runtime.items():
        attacks = {'ptrace': traces(pid), 'process_vm_readv': copies(pid)}
        for file in ('mem', 'environ', 'maps', 'auxv', 'fd', f'task/{pid}/environ', f'task/{pid}/mem'):
            attacks[file] = opens(f'/proc/{pid}/{file}')
        for file in ('exe', 'cwd', 'root', 'fd/0', 'fd/3'):
            attacks[file] = links(f'/proc/{pid}/{file}')
        found['succeeded'] += [f'{name}: {attack}' for attack, worked in attacks.items() if worked]
    own = subprocess.Popen(['sleep', '60'])
    time.sleep(0.2)
    worked = {'ptrace': traces(own.pid), 'process_vm_readv': copies(own.pid), 'mem': opens(f'/proc/{own.pid}/mem')}
    found['control'] = [attack for attack, works in worked.items() if works]
    own.kill()
    for pid, name in runtime.items():
        if name not in ('daemon', 'query server'):
            continue
        try:
            os.kill(pid, signal.SIGSEGV)
            found['killed'].append(name)
        except PermissionError:
            pass
    found['killed'].sort()
    time.sleep(1)
    needle = config['needle'][::-1].encode()
    found['holding'] = [path for path in files() if needle in read(path)]
    print(json.dumps(found))
`;
