import type { LedgerLine } from '../../../src/agent/ledger/ledger.ts';

/** A turn's line; what is of no interest is made up. */
export function ledgerLine(requestId: string, changes: Partial<LedgerLine> = {}): LedgerLine {
  return {
    requestId,
    at: new Date().toISOString(),
    agent: 'b',
    instance: 'ins_1',
    kind: 'k',
    conversation: 'c',
    model: 'm',
    provider: null,
    tokens: { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, reasoning: 0, total: 15 },
    costs: [{ type: 'llm.tokens', unit: 'token', quantity: 15, usd: null }],
    usd: null,
    source: 'reported',
    status: 'completed',
    durationMs: 1,
    firstTokenMs: 1,
    ...changes,
  };
}
