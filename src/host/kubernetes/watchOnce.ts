import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { RuntimeError } from '../../base/errors.ts';
import { kubeError } from './kubeError.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resource.ts';

export interface WatchOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly from: string;
  /** After this the API ends the watch, and it is begun anew: no connection is for ever. */
  readonly seconds: number;
  /** Default: longer than the API is ever silent. */
  readonly silentMs?: number;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** An object is 1.5 MiB at most; an event is one line. */
const LONGEST_LINE = 8 * 1024 * 1024;
/** The API sends a bookmark every minute or so: a stream that is silent for longer is dead. */
const SILENT_MS = 150_000;

/**
 * What changes from a moment on. Resolves with the moment that was reached when the API ends the stream or it breaks off;
 * `conflict`: list anew. The cluster has forgotten the moment (410), or has not come to it: one that was put back to an earlier state
 * takes such a watch, and tells nothing until it is there again.
 */
export async function watchOnce<T extends KubeObject>(
  { client, path, plural }: Resource<T>,
  { labelSelector, fieldSelector, from, seconds, silentMs = SILENT_MS }: WatchOptions,
  tell: (event: WatchEvent<T>) => void,
  signal: AbortSignal,
  /** The stream is open: nothing from `from` on is missed. */
  opened: () => void = () => undefined,
): Promise<string> {
  const op = `${plural}.watch`;
  const stream = await client.stream({
    op,
    subject: plural,
    method: 'GET',
    path,
    query: {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(seconds),
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    },
    signal,
  });
  let reached = from;
  let isSilent = false;
  stream.setTimeout(silentMs, () => {
    isSilent = true;
    stream.destroy(new Error('silent'));
  });
  opened();
  try {
    for await (const line of linesOf(stream)) {
      const { type, object } = JSON.parse(line) as { type: string; object: T & { code?: number } };
      if (type === 'ERROR') throw kubeError(op, plural, object.code ?? 500, object as object);
      const { resourceVersion = reached } = object.metadata;
      if (isEarlier(resourceVersion, reached)) throw unknownMoment(op, plural, reached);
      reached = resourceVersion;
      if (type !== 'BOOKMARK') tell({ type: type as WatchEvent<T>['type'], object });
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RuntimeError) throw error;
    if (isSilent) throw unknownMoment(op, plural, reached);
    // It broke off: the next one goes on where it was.
  } finally {
    stream.destroy();
  }
  return reached;
}

/** Versions count up, in one cluster. */
function isEarlier(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) < BigInt(than);
}

function unknownMoment(op: string, subject: string, moment: string): RuntimeError {
  return new RuntimeError('conflict', `${subject}: the cluster tells nothing of what came after ${moment}`, {
    op,
    path: subject,
  });
}

async function* linesOf(stream: IncomingMessage): AsyncGenerator<string> {
  const decoder = new StringDecoder();
  let held = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (held + decoder.write(chunk)).split('\n');
    held = lines.pop() ?? '';
    if (held.length > LONGEST_LINE) throw new Error('a line that is too long');
    for (const line of lines) if (line !== '') yield line;
  }
}
