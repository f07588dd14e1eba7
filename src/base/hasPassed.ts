/**
 * Whether `ms` have passed since `at`, both milliseconds of the wall clock. A moment that lies ahead was taken before the clock was set
 * back: it says nothing any more, and whoever waited for it would wait for as long as the clock was wrong.
 */
export function hasPassed(at: number, ms: number, now: number): boolean {
  return now - at >= ms || now < at;
}
