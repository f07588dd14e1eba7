import * as v from 'valibot';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { owns } from '../access/caller.ts';
import { HttpError, invalid, notFound } from '../http/httpError.ts';
import { idempotencyKey } from '../http/idempotencyKey.ts';
import { readFields } from '../http/readFields.ts';
import type { Call, Route } from '../http/route.ts';
import { smallJson } from '../http/smallJson.ts';
import type { Parts } from '../parts.ts';
import { findOwn } from '../sandboxes/findOwn.ts';
import { readCreate } from '../sandboxes/readCreate.ts';
import type { Session } from './session.ts';
import { viewOf } from './sessionView.ts';
import { streamSession } from './streamSession.ts';

const message = v.object({
  message: v.pipe(v.string(), v.regex(/\S/, 'must not be empty')),
  metadata: v.optional(v.pipe(v.record(v.string(), v.unknown()), smallJson()), {}),
  idempotencyKey: v.nullish(v.pipe(v.string(), v.nonEmpty(), v.maxLength(256))),
});

/**
 * `/v1/sessions`: a conversation with the agent of a sandbox that is there (`sandboxId`), or of one that is made for it (`config`). One without an agent has
 * a session all the same, in which nobody answers: a message to it is refused.
 */
export function sessionRoutes(parts: Parts): Route[] {
  const { sandboxes, sessions, bus } = parts;
  const find = ({ params, caller }: Call): Session => {
    const session = sessions.find(params.id ?? '');
    if (session === undefined || !owns(caller, session)) throw notFound('session', params.id ?? '');
    return session;
  };
  const one = '/v1/sessions/:id';
  return [
    {
      method: 'POST',
      path: '/v1/sessions',
      scope: 'sessions',
      handle: async (call) => {
        const body = await call.body();
        const config = (body.config ?? {}) as Readonly<Record<string, unknown>>;
        const named = body.sandboxId ?? config.sandboxId;
        const metadata = v.safeParse(v.pipe(v.unknown(), smallJson()), body.metadata);
        if (!metadata.success) throw invalid({ metadata: metadata.issues[0].message });
        const sandbox: Sandbox =
          typeof named === 'string'
            ? findOwn(sandboxes, { ...call, params: { id: named } })
            : await parts.maker.make(readCreate(config, undefined), call.caller);
        try {
          const session = sessions.create({
            id: undefined,
            owner: call.caller.name,
            sandbox: sandbox.id,
            ownsSandbox: typeof named !== 'string',
            metadata: metadata.output,
          });
          return { status: 201, body: viewOf(session, sandbox, bus) };
        } catch (error) {
          if (typeof named !== 'string') await sandboxes.remove(sandbox.id, 'failed');
          throw error;
        }
      },
    },
    {
      method: 'GET',
      path: '/v1/sessions',
      scope: 'sessions',
      handle: async ({ caller }) => {
        const mine = sessions.all().filter((session) => owns(caller, session));
        return { body: { sessions: mine.map((each) => viewOf(each, sandboxes.find(each.sandbox), bus)) } };
      },
    },
    {
      method: 'GET',
      path: one,
      scope: 'sessions',
      handle: async (call) => {
        const session = find(call);
        return { body: viewOf(session, sandboxes.find(session.sandbox), bus) };
      },
    },
    {
      method: 'DELETE',
      path: one,
      scope: 'sessions',
      handle: async (call) => {
        await sessions.remove(find(call));
        return { body: { success: true } };
      },
    },
    {
      method: 'POST',
      path: `${one}/message`,
      scope: 'sessions',
      handle: async (call) => {
        const session = find(call);
        const sandbox = sandboxes.find(session.sandbox);
        if (sandbox !== undefined) mustHaveAgent(sandbox);
        const asked = readFields(message, await call.body());
        const { id, status } = await sessions.send(session, {
          message: asked.message,
          metadata: asked.metadata,
          key: asked.idempotencyKey ?? idempotencyKey(call),
        });
        return { status: 202, body: { success: true, id, executionId: id, sessionId: session.id, status } };
      },
    },
    ...(['cancel', 'abort'] as const).map(
      (word): Route => ({
        method: 'POST',
        path: `${one}/${word}`,
        scope: 'sessions',
        handle: async (call) => {
          const { executionId } = await call.body();
          const only = typeof executionId === 'string' ? executionId : undefined;
          return { body: { success: true, cancelled: await sessions.cancel(find(call), only) } };
        },
      }),
    ),
    {
      method: 'GET',
      path: `${one}/events`,
      scope: 'sessions',
      handle: async (call) => await streamSession(parts, call, find(call)),
    },
  ];
}

export function mustHaveAgent({ id, agent }: Sandbox): void {
  if (agent !== undefined) return;
  throw new HttpError(
    501,
    'NOT_SUPPORTED',
    `sandbox ${id} has no agent: \`agent\` says at its creation which kind of bot answers messages in it`,
  );
}
