import { systemCode } from './errors.ts';

/**
 * Why `fetch` gave no answer: its own message says only that it failed, and the reason stands beside it. The system's word where it
 * has one (`ECONNREFUSED`); what Node calls `…ERR_…` reads better in its words (`other side closed`).
 */
export function whyFetchFailed(error: unknown): string {
  const { message, cause } = error as Error;
  const code = systemCode(cause);
  if (code !== undefined && !code.includes('ERR_')) return code;
  return cause instanceof Error && cause.message !== '' ? cause.message : (code ?? message);
}
