import { expect, inject, test } from 'vitest';
import { supervised } from '../support/process/supervised.ts';
import { minioClient } from '../support/store/minio.ts';

/** Python, as a shell writes it: it makes and reads names as bytes. */
const python = (program: string) => `/usr/bin/python3 - <<'END'\n${program}\nEND\n`;

test('every name that a file system takes comes back byte for byte', async () => {
  const bot = await supervised(
    python(`
import os
names = [bytes([i]) for i in range(1, 256) if i not in (46, 47)]
names += [b"new\\nline", b"\\xff\\xfe", "e\\u0301".encode(), "\\u00e9".encode(), b"A", b"n" * 255, b"-rf", b" lead",
          b"trail ", b"...", b"a\\\\b", b"\\xed\\xa0\\x80", b"\\xc0\\xaf", b"\\xef\\xbf\\xbd", b"__proto__", b"constructor"]
for name in names:
    with open(name, "wb") as file: file.write(name)
os.mkdir(b"d\\xe9")
with open(b"d\\xe9/\\xfe", "wb") as file: file.write(b"\\xfe")
`),
  );
  expect((await bot.start().finished).code).toBe(0);
  const seen = await bot.saved(
    python(`
import os
files = [n for n in os.listdir(b".") if os.path.isfile(n) and n != b".runtime-sync"]
print(len(files), [n for n in files if open(n, "rb").read() != n], open(b"d\\xe9/\\xfe", "rb").read())
`),
  );
  // "A" is among the one-byte names already.
  expect(seen).toBe("268 [] b'\\xfe'\n");
});

test('a mode, a time, or new bytes behind the same size and time: each is a change that is saved', async () => {
  const bot = await supervised(
    'echo one > f; echo m > m; echo t > t; mkdir d; touch -d 2001-01-01 f m t; sleep 0.1',
  );
  expect((await bot.start().finished).code).toBe(0);
  const change =
    'cd "$(dirname "$STATE_DIR")"; echo two > f; touch -d 2001-01-01 f; chmod 640 m; chmod 711 d; touch -d 1999-12-31T23:59:59Z t';
  const second = await bot.start({ ENTRYPOINT: change }).finished;
  expect(second.code, second.stderr).toBe(0);
  expect(await bot.saved('cat f; stat -c %a m d; stat -c %Y t')).toBe('two\n640\n711\n946684799\n');
});

test('a file of 1 GiB with one byte in it takes no room in the store, nor on the disk when it is back', async () => {
  const bot = await supervised(
    'truncate -s 1G big; printf x | dd of=big bs=1 seek=1000000000 conv=notrunc status=none',
  );
  expect((await bot.start().finished).code).toBe(0);
  let stored = 0;
  const listing = minioClient(inject('minio')).listObjectsV2('bot-state', `${bot.env.BOT_ID!}/`, true);
  for await (const { size } of listing) stored += size;
  expect(stored).toBeLessThan(2 ** 20);
  const seen = await bot.saved(
    'stat -c %s big; [ $(stat -c %b big) -lt 4096 ] && echo sparse; tail -c +1000000001 big | head -c 1',
  );
  expect(seen).toBe('1073741824\nsparse\nx');
});

test('links that loop, dangle or lead out, pipes and sockets keep nothing else from being saved', async () => {
  const bot = await supervised(
    'echo kept > f; ln -s b a; ln -s a b; ln -s . self; ln -s nowhere dangling; ln -s /etc/passwd out; ln -s ../../up up; mkfifo pipe; mkdir -p d/e; ln -s ../../f d/e/in',
  );
  const end = await bot.start().finished;
  expect(end.code, end.stderr).toBe(0);
  for (const name of ['out', 'up', 'pipe']) expect(end.stderr).toContain(`"path":"${name}"`);
  expect(
    await bot.saved('for l in a b self dangling out up pipe d/e/in; do readlink $l; done; cat d/e/in'),
  ).toBe('b\na\n.\nnowhere\n../../f\nkept\n');
});
