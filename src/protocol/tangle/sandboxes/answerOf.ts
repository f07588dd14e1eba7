import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import type { Answer, Call } from '../http/route.ts';
import type { Connect } from './connections.ts';
import { infoOf } from './infoOf.ts';

/** A sandbox as an answer, with a fresh way to the inside. */
export function answerOf(connect: Connect, call: Call, sandbox: Sandbox, status = 200): Answer {
  return { status, body: infoOf(sandbox, connect(sandbox, call.caller, call.origin)) };
}
