import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import * as v from 'valibot';
import { RuntimeError } from '../../../base/errors.ts';
import { FORMAT, MANIFEST_LIMIT_BYTES } from './format.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const manifestSchema = v.object({
  format: v.literal(FORMAT),
  bot: v.string(),
  sequence: count,
  generation: count,
  createdAt: v.string(),
  consistent: v.boolean(),
  files: count,
  bytes: count,
  /** `[hash, size, bytes of it that this snapshot uses]`: all that this snapshot needs. */
  packs: v.array(v.strictTuple([hex, count, count])),
  /** `[number of its pack, offset, stored length, length]`: where the segments lie. */
  frames: v.array(v.pipe(v.strictTuple([count, count, count, count]), v.readonly())),
  /** `[hash, number of its frame, where in it, length]`, in walk order. */
  segments: v.array(v.pipe(v.strictTuple([hex, count, count, count]), v.readonly())),
});

/** The root of a snapshot: small, whatever the size of the state. */
export type Manifest = v.InferOutput<typeof manifestSchema>;

export async function encodeManifest(
  manifest: Manifest,
): Promise<{ name: string; sha256: string; body: Buffer }> {
  const params = { [constants.ZSTD_c_compressionLevel]: 3 };
  const body = await promisify(zstdCompress)(Buffer.from(JSON.stringify(manifest)), { params });
  const sha256 = hash('sha256', body);
  return { name: `${manifest.sequence}-${sha256}`, sha256, body };
}

/** Throws `damaged` unless these are the bytes that `name` promises, of this bot. */
export function parseManifest(name: string, body: Buffer, bot: string): Manifest {
  const damaged = (why: string, cause?: unknown) =>
    new RuntimeError('damaged', `manifest ${name} of ${bot}: ${why}`, {
      op: 'state.read',
      path: name,
      cause,
    });
  if (hash('sha256', body) !== name.slice(name.indexOf('-') + 1))
    throw damaged('its bytes are not what they were');
  let value: unknown;
  try {
    value = JSON.parse(zstdDecompressSync(body, { maxOutputLength: MANIFEST_LIMIT_BYTES }).toString('utf8'));
  } catch (cause) {
    throw damaged('it cannot be decoded', cause);
  }
  const result = v.safeParse(manifestSchema, value);
  if (!result.success) throw damaged(result.issues[0].message);
  const manifest = result.output;
  if (manifest.bot !== bot) throw damaged(`it belongs to the bot ${JSON.stringify(manifest.bot)}`);
  if (`${manifest.sequence}` !== name.slice(0, name.indexOf('-'))) throw damaged('it has another sequence');
  for (const [, frame] of manifest.segments) {
    if (frame >= manifest.frames.length) throw damaged('a segment lies in no frame');
  }
  return manifest;
}
