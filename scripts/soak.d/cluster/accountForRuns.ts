import type { RunPod } from './runPods.ts';

export interface Account {
  readonly due: number;
  readonly ran: number;
  /** Had a pod, which did not succeed, and nothing of it is in the state. */
  readonly failed: number;
  /** Had none: nobody was there, or the run before was still going. */
  readonly without: number;
  readonly problems: readonly string[];
}

/**
 * Compares what a scheduled bot has written, a line for each of its runs, with the pods that there were. A time has one pod or none; one
 * whose pod has succeeded is in the ledger; what is in the ledger is there once, in the order of time.
 */
export function accountForRuns(
  bot: string,
  everyMs: number,
  ledger: readonly number[],
  pods: Iterable<RunPod>,
): Account {
  const problems: string[] = [];
  const byTime = new Map<number, RunPod[]>();
  for (const pod of pods) if (pod.bot === bot) byTime.set(pod.time, [...(byTime.get(pod.time) ?? []), pod]);
  const at = (time: number) => new Date(time).toISOString();
  const counts = new Map<number, number>();
  for (const time of ledger) counts.set(time, (counts.get(time) ?? 0) + 1);
  for (const [time, count] of counts) {
    if (count > 1) problems.push(`${bot}: ${at(time)} ran ${count} times`);
    if (!byTime.has(time)) problems.push(`${bot}: ${at(time)} is written down, and no pod was seen`);
  }
  if (ledger.some((time, i) => i > 0 && time < ledger[i - 1]!))
    problems.push(`${bot}: not in the order of time`);
  for (const [time, own] of byTime) {
    if (own.length > 1) problems.push(`${bot}: ${at(time)} had ${own.length} pods`);
    if (own.some(({ phase }) => phase === 'Succeeded') && !counts.has(time))
      problems.push(`${bot}: the run of ${at(time)} succeeded, and what it wrote is lost`);
    if (own.some(({ phase }) => phase === 'Pending' || phase === 'Running'))
      problems.push(`${bot}: the pod of ${at(time)} was never seen to end`);
  }
  const times = [...byTime.keys()];
  const due = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / everyMs + 1;
  if (ledger.length === 0) problems.push(`${bot}: has not run at all`);
  const failed = [...byTime.keys()].filter((time) => !counts.has(time)).length;
  return { due, ran: counts.size, failed, without: due - byTime.size, problems };
}
