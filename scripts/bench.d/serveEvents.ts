/**
 * bench serveEvents [PIECES]: what an event of an agent in a sandbox takes longer by way of the server of sandboxes, which writes it down first, than from the
 * agent itself. The same events of the same turn, read by both ways in one process.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Secret } from '../../src/base/secret.ts';
import { makeAgentToken } from '../../src/host/bots/agentToken.ts';
import { docker, universalImage } from '../../test/support/container/docker.ts';
import { readEvents } from '../../test/support/serve/eventReader.ts';
import { realServe } from '../../test/support/serve/realServe.ts';
import { cpuSeconds, ms, printTable } from './lib.ts';

const pieces = Number(process.argv[2] ?? 200);
const image = await universalImage();
if (image.missing !== undefined) throw new Error(image.missing);
const fixtures = join(import.meta.dirname, '../../test/fixtures/agents');

await using serve = await realServe({ image: image.tag });
await serve.start();
const code = join(serve.data, 'store/custom-bots');
mkdirSync(code, { recursive: true });
execFileSync('tar', ['-C', fixtures, '-cf', join(code, 'parrot.tar'), 'parrot.mjs']);
const { id } = await serve.create({
  agent: { runtime: 'nodejs20', code: 'parrot.tar', entrypoint: 'parrot.mjs' },
});
while ((await serve.info(id)).status !== 'running') await pause(100);

const session = (await serve.call('POST', '/v1/sessions', { sandboxId: id })).body.id;
const authorization = `Bearer ${serve.key}`;
const through = await readEvents(`${serve.url}/v1/sessions/${session}/events`, { authorization });
await serve.call('POST', `/v1/sessions/${session}/message`, { message: `slow ${pieces}` });
const { data } = await through.until(({ type }) => type === 'execution.started');
const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
const address = (await docker('inspect', '-f', format, `rt-${id}`)).trim();
const token = makeAgentToken(new Secret(readFileSync(join(serve.data, 'token-key'), 'utf8').trim()), id);
const direct = await readEvents(`http://${address}:9476/_runtime/agent/messages/${data.messageId}/events`, {
  authorization: `Bearer ${token.reveal()}`,
});

/** When each piece was here, by either way. */
const seen = new Map<string, { direct?: number; through?: number }>();
const note = (way: 'direct' | 'through', text: string) =>
  seen.set(text, { ...seen.get(text), [way]: performance.now() });
const cpu = cpuSeconds(serve.pid);
let [d, t] = [0, 0];
direct.response.on('data', () => {
  for (; d < direct.events.length; d++)
    if (direct.events[d]!.type === 'delta') note('direct', direct.events[d]!.data.text);
});
through.response.on('data', () => {
  for (; t < through.events.length; t++) {
    const { delta } = through.events[t]!.data;
    if (delta !== undefined) note('through', delta);
  }
});
await Promise.all([direct.until(({ type }) => type === 'end'), through.until(({ type }) => type === 'done')]);
const used = cpuSeconds(serve.pid) - cpu;
// What was there before both were read came at once.
const added = [...seen.values()]
  .slice(20)
  .flatMap((one) => (one.direct === undefined || one.through === undefined ? [] : [one.through - one.direct]))
  .sort((a, b) => a - b);
const at = (q: number) => ms(added[Math.min(added.length - 1, Math.floor(q * added.length))] ?? Number.NaN);

printTable(`Events of an agent by way of the server, ${added.length} of them`, [
  ['later than from the agent itself: median; p90; p99', `${at(0.5)}; ${at(0.9)}; ${at(0.99)}`],
  ['the server’s processor for each, all its other work included', ms((used / pieces) * 1000)],
]);
