import * as v from 'valibot';
import { RuntimeError } from '../../../base/errors.ts';
import { sha256 } from '../../../base/sha256.ts';
import { FORMAT, keys } from './format.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const snapshotSchema = v.object({
  sequence: count,
  /** Which generation's writer took it. */
  generation: count,
  /** RFC 3339, UTC. */
  createdAt: v.string(),
  files: count,
  bytes: count,
  consistent: v.boolean(),
  /** Name of its manifest object; absent: `entries` are here. */
  manifest: v.optional(v.pipe(v.string(), v.regex(/^\d+-[0-9a-f]{64}$/))),
  /** Rows as in `entryRow.ts`, their blobs in the head's table. */
  entries: v.optional(v.array(v.unknown())),
});

const headSchema = v.object({
  format: v.literal(FORMAT),
  bot: v.string(),
  generation: count,
  holder: v.string(),
  sequence: count,
  updatedAt: v.string(),
  /** Whether an older `state.tar.gz` was there when the bot had no head. */
  legacy: v.boolean(),
  /** Newest last. */
  snapshots: v.array(snapshotSchema),
  /** Blobs of the inline snapshots: hash → base64 of the bytes as stored. */
  blobs: v.record(v.string(), v.string()),
});

/** The only object of a bot that ever changes. */
export type Head = v.InferOutput<typeof headSchema>;
export type SnapshotRecord = v.InferOutput<typeof snapshotSchema>;

/**
 * One line of JSON whose last member is `check`: the SHA-256 of the same line without it. A flipped bit anywhere
 * is found.
 */
export function encodeHead(head: Head): Buffer {
  const text = JSON.stringify(head);
  return Buffer.from(`${text.slice(0, -1)},"check":"${sha256(text)}"}`);
}

const TAIL = /^,"check":"([0-9a-f]{64})"\}$/;
const TAIL_LENGTH = 76;

/** Throws `damaged` for anything but a whole head of this bot in a format that we know. */
export function parseHead(text: string, bot: string): Head {
  const body = `${text.slice(0, -TAIL_LENGTH)}}`;
  const check = TAIL.exec(text.slice(-TAIL_LENGTH))?.[1];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damagedHead(bot, 'it is not JSON', cause);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== FORMAT) throw unknownFormat(bot, format);
  if (check === undefined || sha256(body) !== check) {
    throw damagedHead(bot, 'its checksum does not match its content');
  }
  const result = v.safeParse(headSchema, value);
  if (!result.success) throw damagedHead(bot, result.issues[0].message);
  if (result.output.bot !== bot) {
    throw damagedHead(bot, `it belongs to the bot ${JSON.stringify(result.output.bot)}`);
  }
  return result.output;
}

function damagedHead(bot: string, why: string, cause?: unknown): RuntimeError {
  return new RuntimeError('damaged', `the head of ${bot} is not usable: ${why}`, {
    op: 'state.read',
    path: keys.head(bot),
    hint: 'Put back an earlier version of this object (bucket versioning, a copy): its snapshots are still there. Where there is none, `runtime state recover` writes it again.',
    cause,
  });
}

/** `op` of the error for what a newer runtime has written. */
export const NEWER_FORMAT = 'state.format';

function unknownFormat(bot: string, format: number): RuntimeError {
  return new RuntimeError(
    'damaged',
    `the state of ${bot} has format ${format}; this runtime knows ${FORMAT}`,
    {
      op: NEWER_FORMAT,
      path: keys.head(bot),
      hint: 'It was written by a newer runtime; start the bot with that version.',
    },
  );
}
