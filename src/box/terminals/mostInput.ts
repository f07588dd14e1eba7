/** What is pasted into a terminal at once, as JSON. */
export const MOST_INPUT_BYTES = 1024 * 1024;
