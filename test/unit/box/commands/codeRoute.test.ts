import { expect, test } from 'vitest';
import { startBox } from '../../../support/box/startBox.ts';

test('code is run as a file of its language, of any length, and reads nothing', async () => {
  const box = await startBox();
  const run = async (body: object) => (await box.client.json('POST', '/process/run-code', body)).data;
  const long = `x = "${'y'.repeat(300_000)}"\nimport sys\nprint(len(x), sys.stdin.read() == "")\nsys.exit(4)`;
  expect(await run({ code: long, blocking: true })).toMatchObject({
    exitCode: 4,
    stdout: '300000 True\n',
    success: false,
  });
  expect(await run({ code: 'echo "$A"', language: 'sh', env: { A: 'b' } })).toMatchObject({
    stdout: 'b\n',
    success: true,
  });
  const { status, body } = await box.ask('POST', '/process/run-code', { code: '', language: '__proto__' });
  expect([status, Object.keys(body.fields)]).toEqual([400, ['language']]);
});
