import { asRuntimeError } from '../errors.ts';
import { escapeControls } from '../escapeControls.ts';

/**
 * An error as lines for stderr: what happened, every problem, what to do. `LOG_FORMAT=json` makes JSON lines of them,
 * `LOG_LEVEL=debug` adds the stack of a defect.
 */
export function describeError(
  thrown: unknown,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number,
): string {
  const error = asRuntimeError(thrown);
  const lines = [error.message, ...error.problems];
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  if (error.code === 'internal' && env.LOG_LEVEL === 'debug') lines.push(stackOf(error));
  // A bot's files may be named in it.
  if (env.LOG_FORMAT !== 'json')
    return `runtime: ${lines.join('\n').split('\n').map(escapeControls).join('\n')}\n`;
  const timestamp = new Date(now()).toISOString();
  return lines
    .map((message) => `${JSON.stringify({ timestamp, level: 'error', source: 'runtime', message })}\n`)
    .join('');
}

/** Of the defect itself where it was wrapped. Stacks only: other properties of an error may hold a secret. */
function stackOf(error: Error): string {
  const { cause } = error;
  return (cause instanceof Error ? cause.stack : undefined) ?? error.stack ?? '';
}
