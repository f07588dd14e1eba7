import { readWhole } from '../../../base/httpAnswer.ts';
import { QUERY_PORT } from '../../../host/engine/queryPort.ts';
import { BOX_PORT } from '../../../host/sandboxes/boxTokens.ts';
import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { callInside } from '../runtime/callInside.ts';
import { unanswered } from '../runtime/sendOn.ts';

const MOST_BYTES = 2 ** 20;

/** Ports that something listens on inside. Throws 502 where nobody answers. */
export async function listening(
  { sandboxes }: { readonly sandboxes: Sandboxes },
  { id }: Sandbox,
  signal: AbortSignal,
): Promise<number[]> {
  const asked = { id, port: BOX_PORT, method: 'GET', path: '/ports', token: sandboxes.boxToken(id) } as const;
  try {
    const answer = await callInside(sandboxes, asked, signal);
    const text = await readWhole(answer as AsyncIterable<Buffer>, MOST_BYTES);
    const { data } = JSON.parse(text) as { data: { ports: { port: number }[] } };
    // The bot's own server is not the client's.
    return data.ports.map(({ port }) => port).filter((port) => port !== QUERY_PORT);
  } catch (error) {
    throw unanswered(`sandbox ${id}`, error);
  }
}
