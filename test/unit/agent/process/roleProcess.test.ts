import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnvironment, startRole } from '../../../../src/agent/process/roleProcess.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test('what steers the loader or Node does not reach our own processes; certificates do', () => {
  const env = {
    LD_PRELOAD: '/bot/evil.so',
    LD_LIBRARY_PATH: '/bot',
    NODE_OPTIONS: '--require /bot/evil.js',
    NODE_PATH: '/bot',
    NODE_EXTRA_CA_CERTS: '/etc/ssl/own.pem',
    NODE_EXTRA_CA_CERTS_TOO: 'x',
    OPENSSL_CONF: '/bot/evil.cnf',
    OPENSSL_MODULES: '/bot',
    GCONV_PATH: '/bot',
    GLIBC_TUNABLES: 'glibc.malloc.check=3',
    MALLOC_TRACE: '/bot/trace',
    PATH: '/usr/bin',
    OLD_PATH: 'LD_',
    BOT_ID: 'b',
    SSL_CERT_FILE: '/etc/ssl/own.pem',
  };
  expect(cleanEnvironment(env)).toEqual({
    NODE_EXTRA_CA_CERTS: '/etc/ssl/own.pem',
    PATH: '/usr/bin',
    OLD_PATH: 'LD_',
    BOT_ID: 'b',
    SSL_CERT_FILE: '/etc/ssl/own.pem',
  });
});

test('a role that cannot be started ends, once', async () => {
  const ended = Promise.withResolvers<unknown[]>();
  const role = startRole(
    { file: '/nonexistent/runtime', args: [] },
    { role: ['daemon'], env: {}, onMessage: () => {}, onExit: (...how) => ended.resolve(how) },
  );
  expect(await ended.promise).toEqual([null, null]);
  expect(role.send({ type: 'x' })).toBe(false);
  expect(role.pid).toBe(undefined);
});

test('messages both ways, the last one before the end', async () => {
  const dir = await temporaryDirectory();
  const program = join(dir, 'role.cjs');
  await writeFile(
    program,
    'process.once("message", (m) => process.send({ got: m, argv: process.argv.slice(2) }, () => process.exit(7)));',
  );
  const seen: unknown[] = [];
  const ended = Promise.withResolvers<void>();
  const role = startRole(
    { file: process.execPath, args: [program] },
    {
      role: ['daemon', 'sync'],
      env: {},
      onMessage: (message) => void seen.push(message),
      onExit: (...how) => {
        seen.push(how);
        ended.resolve();
      },
    },
  );
  expect(role.send({ hello: 1 })).toBe(true);
  await ended.promise;
  expect(seen).toEqual([{ got: { hello: 1 }, argv: ['daemon', 'sync'] }, [7, null]]);
});
