/** How often what happens at random is tried: `RUNTIME_TEST_SCALE`, 1 unless said. */
export function scaled(times: number): number {
  return Math.max(1, Math.round(times * Number(process.env.RUNTIME_TEST_SCALE ?? 1)));
}

/** Every place with every fault, or at the usual scale as many as it takes for each of both to be there. */
export function pairs<P, F>(
  places: readonly (readonly [string, P])[],
  faults: readonly (readonly [string, F])[],
): [string, string, P, F][] {
  return places.flatMap(([place, where], i) =>
    faults
      .filter((_, k) => k % places.length === i || scaled(1) > 1)
      .map(([name, fault]): [string, string, P, F] => [place, name, where, fault]),
  );
}
