/** A part of a path as it is meant. A `%` that begins no escape makes the whole of it mean itself. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
