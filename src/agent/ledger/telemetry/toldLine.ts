import type { LedgerLine } from '../ledger.ts';

export type TelemetryFormat = 'runtime' | 'hydracore';

/** A turn as the receiver is told of it: field by field, so that nothing else of a line ever leaves, let alone a word of what was said. */
export function toldLine(line: LedgerLine, format: TelemetryFormat): object {
  if (format === 'hydracore') {
    return {
      request_id: line.requestId,
      event_ts: line.at,
      provider: line.provider,
      model: line.model,
      key_source: 'platform',
      estimated_tokens_in: line.tokens.input,
      estimated_tokens_out: line.tokens.output,
    };
  }
  const { requestId, at, agent, instance, kind, conversation, model, provider } = line;
  const { tokens, costs, source, status, durationMs, firstTokenMs } = line;
  const what = { tokens, costs, source, status, durationMs, firstTokenMs };
  return { requestId, at, agent, instance, kind, conversation, model, provider, ...what };
}
