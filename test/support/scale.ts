/** How often what happens at random is tried: `RUNTIME_TEST_SCALE`, 1 unless said. */
export function scaled(times: number): number {
  return Math.max(1, Math.round(times * Number(process.env.RUNTIME_TEST_SCALE ?? 1)));
}
