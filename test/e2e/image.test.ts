import { describe, expect, test } from 'vitest';
import { runContainer } from '../support/container/container.ts';
import { universalImage } from '../support/container/docker.ts';

const image = await universalImage();

/** Runs in the image instead of a bot. */
async function shell(script: string, user = '0:0'): Promise<string> {
  const { exit, stdout, stderr } = await runContainer({
    image: image.tag,
    user,
    entrypoint: 'sh',
    args: ['-ec', script],
  });
  expect(exit, stderr).toBe(0);
  return stdout.trim();
}

describe.skipIf(image.missing !== undefined)('the universal image', { timeout: 60_000 }, () => {
  test('has the interpreters of its kinds', async () => {
    const versions = await shell('python3 --version; node --version; java -version 2>&1 | head -n 1');
    expect(versions).toMatch(/^Python 3\.11\.\d+\nv20\.\d+\.\d+\nopenjdk version "17\./);
  });

  test('has the libraries that compiled bots are linked to', async () => {
    const libraries = [
      'stdc++.so.6',
      'atomic.so.1',
      'gomp.so.1',
      'gcc_s.so.1',
      'gmp.so.10',
      'ffi.so.8',
      'ssl.so.3',
    ];
    const load = `import ctypes; [ctypes.CDLL('lib' + name) for name in ${JSON.stringify(libraries)}]; print('all')`;
    expect(await shell(`python3 -c "${load.replaceAll('"', "'")}"`)).toBe('all');
  });

  test('has the certificates that bots check their peers against', async () => {
    const count = 'import ssl; print(len(ssl.create_default_context().get_ca_certs()))';
    expect(Number(await shell(`python3 -c '${count}'`))).toBeGreaterThan(100);
  });

  test('installs runtime and tini execute-only', async () => {
    expect(await shell("stat -c '%U:%G %a %n' /usr/bin/tini /usr/local/bin/runtime")).toBe(
      'root:root 711 /usr/bin/tini\nroot:root 711 /usr/local/bin/runtime',
    );
  });

  test('lets an ordinary user run the executable that it cannot read', async () => {
    const tries = 'runtime version >/dev/null && ! cat /usr/local/bin/runtime 2>/dev/null && echo refused';
    expect(await shell(tries, '1000:1000')).toBe('refused');
  });

  test('has no program that changes the user', async () => {
    expect(await shell('find / -xdev -type f -perm /6000')).toBe('');
  });

  test.each(['1000:1000', '4321:4321'])('has the folders of the contract, writable as %s', async (user) => {
    const tries =
      'for folder in /bot /state /query /var/the0 /var/the0/logs; do touch $folder/file; done; pwd';
    expect(await shell(tries, user)).toBe('/bot');
  });

  test('prints letters outside ASCII from every interpreter', async () => {
    const encoding = "java -XshowSettings:properties -version 2>&1 | sed -n 's/.*file.encoding = //p'";
    const say = `python3 -c 'print("ü")'; node -e 'console.log("ü")'; ${encoding}`;
    expect(await shell(say)).toBe('ü\nü\nUTF-8');
  });
});
