import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { cursorOf } from '../events/cursorOf.ts';
import { streamOf } from '../events/streamOf.ts';
import { HttpError, notFound } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { bothPaths } from '../runtime/bothPaths.ts';
import { openSandbox } from '../runtime/openSandbox.ts';
import { readPrompt } from './readPrompt.ts';
import type { Execution, Session } from './session.ts';
import { mustHaveAgent } from './sessionRoutes.ts';
import { viewOf } from './sessionView.ts';
import { streamSession } from './streamSession.ts';

/** `/agents/…` of the API inside of a sandbox, at both of its paths: the same sessions, driven from there. */
export function agentRoutes(parts: Parts): Route[] {
  const { sandboxes, sessions, bus } = parts;
  const open = (call: Call): Sandbox => openSandbox(parts, call, 'agent');
  const find = (call: Call): Session => {
    const sandbox = open(call);
    const session = sessions.find(call.params.session ?? '');
    if (session?.sandbox !== sandbox.id) throw notFound('session', call.params.session ?? '');
    return session;
  };

  /** The execution that the call is about: one that goes on (`X-Execution-ID`), or a message's. */
  const begin = async (
    call: Call,
  ): Promise<{
    session: Session;
    execution: Execution;
    /** Nothing of it was told before. */
    since: number;
  }> => {
    const sandbox = open(call);
    mustHaveAgent(sandbox);
    const prompt = readPrompt(await call.body(), call.request);
    if (prompt.executionId !== undefined && prompt.message === '') {
      for (const session of sessions.all()) {
        const execution = session.executions.find(
          ({ id, key }) => prompt.executionId === id || prompt.executionId === key,
        );
        if (session.sandbox === sandbox.id && execution) return { session, execution, since: 0 };
      }
      throw notFound('execution', prompt.executionId);
    }
    const session = sessions.create({
      id: prompt.sessionId,
      owner: sandbox.owner,
      sandbox: sandbox.id,
      ownsSandbox: false,
      metadata: undefined,
    });
    const { lastId } = bus.of('sessions', session.id);
    const execution = await sessions.send(session, { ...prompt, key: prompt.executionId });
    const isNew = session.executions.every(({ id }) => id !== execution.id);
    return { session, execution, since: isNew ? lastId : 0 };
  };

  return [
    ...bothPaths('POST', '/agents/run/stream', async (call) => {
      const cursor = cursorOf(call.query, call.request);
      const { session, execution, since } = await begin(call);
      return await streamOf(parts, call, {
        kind: 'sessions',
        id: session.id,
        cursor: cursor ?? since,
        execution: execution.id,
        headers: { 'x-execution-id': execution.id, 'x-session-id': session.id },
      });
    }),
    ...bothPaths('POST', '/agents/run', async (call) => {
      const { session, execution } = await begin(call);
      // Node's clients wait 300 s for an answer; whoever wants longer reads the stream.
      call.response.setTimeout(0);
      const { status, result } = await sessions.ended(session.id, execution.id, call.signal);
      const { error, ...said } = result ?? {};
      const data = { ...said, status, sessionId: session.id, executionId: execution.id };
      if (status === 'failed')
        throw new HttpError(502, error?.code ?? 'agent_failed', error?.message ?? 'the agent failed', {
          data,
        });
      return { body: { success: true, data } };
    }),
    ...bothPaths('GET', '/agents/sessions', async (call) => {
      const { id } = open(call);
      const those = sessions.all().filter(({ sandbox }) => sandbox === id);
      return { body: { success: true, data: those.map((each) => viewOf(each, sandboxes.find(id), bus)) } };
    }),
    ...bothPaths('GET', '/agents/sessions/:session', async (call) => {
      const session = find(call);
      return { body: { success: true, data: viewOf(session, sandboxes.find(session.sandbox), bus) } };
    }),
    ...bothPaths('POST', '/agents/sessions/:session/abort', async (call) => {
      return { body: { success: true, data: { cancelled: await sessions.cancel(find(call), undefined) } } };
    }),
    ...bothPaths('GET', '/agents/sessions/:session/events', async (call) => {
      return await streamSession(parts, call, find(call));
    }),
  ];
}
