import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import {
  AckPolicy,
  connect,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  TimeoutError,
} from '../../../base/parts/nats.ts';
import { applyEvent, type BotCollection, readEvent, subjects } from './event.ts';

export interface EventsOptions {
  readonly url: string;
  readonly collection: (type: 'realtime' | 'scheduled') => BotCollection;
  /** Whether the database already holds bots: then what happened before us has been written by others. */
  readonly holdsBots: () => Promise<boolean>;
  /** A document was written. */
  readonly changed: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const STREAM = 'THE0_EVENTS';
const DURABLE = 'runtime';
/** The group of the0's own services, where there is no stream. */
const GROUP = 'runtime';
const RETRY_MS = 5_000;
const ACK_WAIT_MS = 15_000;

type Connection = Awaited<ReturnType<typeof connect>>;

/**
 * Writes what the API tells by NATS into the database, until the signal: each message is acknowledged once it is written, and
 * they come one at a time, so that an older one is never written over a newer one. While NATS is away it is tried again.
 */
export async function followEvents(options: EventsOptions, signal: AbortSignal): Promise<void> {
  const { url, clock, log } = options;
  while (!signal.aborted) {
    let connection: Connection | undefined;
    try {
      connection = await connect({ servers: url, maxReconnectAttempts: -1, name: 'runtime' });
      const close = () => void connection?.close();
      signal.addEventListener('abort', close, { once: true });
      if (await hasStream(connection)) await consume(connection, options, signal);
      else await subscribe(connection, options);
    } catch (error) {
      if (!signal.aborted) log.warn(`NATS: ${(error as Error).message}; tried again`);
    } finally {
      await connection?.close().catch(() => undefined);
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}

async function hasStream(connection: Connection): Promise<boolean> {
  try {
    await (await jetstreamManager(connection)).streams.info(STREAM);
    return true;
  } catch (error) {
    // Nobody has said that there is none: what is told meanwhile would be lost.
    if (error instanceof TimeoutError) throw error;
    return false;
  }
}

async function consume(connection: Connection, options: EventsOptions, signal: AbortSignal): Promise<void> {
  const manager = await jetstreamManager(connection);
  const known = await manager.consumers.info(STREAM, DURABLE).catch(() => undefined);
  if (known === undefined)
    await manager.consumers.add(STREAM, {
      durable_name: DURABLE,
      filter_subjects: subjects,
      ack_policy: AckPolicy.Explicit,
      // Older events over newer documents would take bots back to what they were.
      deliver_policy: (await options.holdsBots()) ? DeliverPolicy.New : DeliverPolicy.All,
      max_ack_pending: 1,
      // What went to a host that is gone comes to the next one after this; a write takes less.
      ack_wait: ACK_WAIT_MS * 1e6,
    });
  const consumer = await jetstream(connection).consumers.get(STREAM, DURABLE);
  const messages = await consumer.consume({ max_messages: 1 });
  signal.addEventListener('abort', () => void messages.close(), { once: true });
  for await (const message of messages) {
    if (signal.aborted) return message.nak();
    try {
      await write(message.subject, message.string(), options);
      await message.ackAck();
    } catch (error) {
      options.log.warn(
        `${message.subject} cannot be written: ${(error as Error).message}; NATS will send it again`,
      );
      message.nak(RETRY_MS);
    }
  }
}

/** Without a stream nothing comes again: what cannot be written is lost, as in the0. */
async function subscribe(connection: Connection, options: EventsOptions): Promise<void> {
  options.log.warn(`NATS has no stream ${STREAM}: what happens while this host is away is lost`);
  await Promise.all(
    subjects.map(async (subject) => {
      for await (const message of connection.subscribe(subject, { queue: GROUP })) {
        await write(subject, message.string(), options).catch((error: unknown) =>
          options.log.error(`${subject} was lost: ${(error as Error).message}`),
        );
      }
    }),
  );
}

async function write(subject: string, text: string, options: EventsOptions): Promise<void> {
  const change = readEvent(subject, text);
  if (typeof change === 'string') return options.log.error(`${subject} is not an event: ${change}`);
  await applyEvent(change, options.collection(change.type), options.clock.now());
  options.changed();
}
