import type { Engine } from '../../host/engine/engine.ts';
import { RpcError } from './rpcError.ts';

const OUTPUT_BYTES = 64 * 1024;
const SHOWN_BYTES = 2000;

/** Runs a program in a container to its end; its stdout without the last line's end. Throws with what it printed unless it exits with 0. */
export async function runInside(
  engine: Engine,
  container: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const process = await engine.exec(
    container,
    { argv, env, cwd: undefined, user: undefined, stdin: false },
    signal,
  );
  const printed = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of process.output) {
    printed[stream] = (printed[stream] + Buffer.from(bytes).toString()).slice(-OUTPUT_BYTES);
  }
  const code = await process.exit;
  if (code === 0) return printed.stdout.trimEnd();
  const said = (printed.stderr || printed.stdout).trim().slice(-SHOWN_BYTES);
  if (code === 127) throw new RpcError('FAILED_PRECONDITION', `the image has no ${argv[0]}: ${said}`);
  throw new RpcError('FAILED_PRECONDITION', `${argv.join(' ')} exited with ${code}: ${said}`);
}
