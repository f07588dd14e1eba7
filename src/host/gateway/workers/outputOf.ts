import type { Engine } from '../../engine/engine.ts';

const OUTPUT_LINES = 20;
const OUTPUT_BYTES = 4096;

/** The last of what an instance printed, or that it cannot be had. */
export async function outputOf(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const { bytes } of engine.logs(name, { tail: OUTPUT_LINES, follow: false }, signal))
      pieces.push(bytes);
  } catch {
    return 'its output cannot be read';
  }
  return Buffer.concat(pieces).toString().trim().slice(-OUTPUT_BYTES) || 'it printed nothing';
}
