/** File systems stamp changes with a clock that ticks every few milliseconds; a stamp this recent proves nothing. */
export const TICK_MS = 25;
