import { asRuntimeError } from './errors.ts';
import { escapeControls } from './escapeControls.ts';

/** What one check found. `warn`: a start works, with less than could be. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly hint?: string | undefined;
  /** Of a failed check: the code that the start would have had. */
  readonly exit?: number;
}

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message };
}

export function warn(check: string, message: string, hint?: string): Finding {
  return { check, status: 'warn', message, hint };
}

/** A start would end with this error. */
export function fail(check: string, thrown: unknown): Finding {
  const { message, problems, hint, exitCode } = asRuntimeError(thrown);
  return {
    check,
    status: 'fail',
    message: [message.replace(/:$/, ''), ...problems].join('; '),
    hint,
    exit: exitCode,
  };
}

/** As `runtime doctor` prints it. */
export function findingLine({ check, status, message, hint }: Finding): string {
  const text = hint === undefined ? message : `${message} (${hint})`;
  return `${status.padEnd(5)} ${check}: ${escapeControls(text.replaceAll('\n', ' '))}\n`;
}

/** What the command exits with. */
export function exitOf(findings: readonly Finding[]): number {
  return findings.find(({ status }) => status === 'fail')?.exit ?? 0;
}
