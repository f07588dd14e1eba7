import type { Clock } from '../../../base/clock.ts';
import { getRequestListener, Hono } from '../../../base/parts/hono.ts';
import { errorAnswer } from '../../../bot/answers/answer.ts';
import type { EventBuffer } from '../../../bot/events/eventBuffer.ts';
import { eventStream, parseLastEventId } from '../../../bot/events/eventStream.ts';
import { textStream } from '../http/textStream.ts';
import type { ProcessIds, QueryMetrics } from './metrics.ts';

export interface Info {
  readonly version: string;
  readonly bot: string;
  readonly kind: string;
  readonly type: string;
  readonly startedAt: string;
  readonly generation: number | null;
  readonly lastPublish: unknown;
}

export interface OwnRoutesOptions {
  readonly events: EventBuffer;
  readonly metrics: QueryMetrics;
  readonly clock: Clock;
  readonly info: () => Info;
  /** Why the server is not ready, or undefined; a program that starts is awaited for so long. */
  readonly notReady: (waitMs: number) => Promise<string | undefined>;
  readonly processes: () => ProcessIds | Promise<ProcessIds>;
  /** Aborted when the server closes: it ends the event streams. */
  readonly closing: AbortSignal;
}

/** RFC 7240: `Prefer: wait=20`, at most 60 s. Milliseconds. */
function waitOf(preference = ''): number {
  return Math.min(60, Number(/^wait=(\d{1,4})$/.exec(preference)?.[1] ?? 0)) * 1000;
}

/** Everything under `/_runtime/`. */
export function ownRoutes(options: OwnRoutesOptions) {
  const { events, metrics, clock, info, notReady, processes, closing } = options;
  const app = new Hono();
  app.use(async (context, next) => {
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') {
      context.header('allow', 'GET, HEAD');
      return context.json(errorAnswer(`${context.req.path} takes a GET`), 405);
    }
    context.header('cache-control', 'no-store');
    return next();
  });
  app.get('/_runtime/healthz', (context) => context.json({ status: 'ok', data: { alive: true } }));
  app.get('/_runtime/readyz', async (context) => {
    const why = await notReady(waitOf(context.req.header('prefer')));
    return why === undefined
      ? context.json({ status: 'ok', data: { ready: true } })
      : context.json(errorAnswer(why), 503);
  });
  app.get('/_runtime/info', (context) => context.json(info()));
  app.get('/_runtime/metrics', async (context) => {
    context.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    return context.body(await metrics.text(await processes()));
  });
  app.get('/_runtime/events', (context) => {
    context.header('content-type', 'text/event-stream; charset=utf-8');
    // Proxies in between would hold events back.
    context.header('x-accel-buffering', 'no');
    const lastId = parseLastEventId(context.req.header('last-event-id'));
    return context.body(textStream((gone) => eventStream(events, lastId, clock, gone), closing));
  });
  app.notFound((context) => context.json(errorAnswer(`there is no ${context.req.path}`), 404));
  app.onError((_error, context) => context.json(errorAnswer('the query server failed'), 500));
  return getRequestListener(app.fetch);
}
