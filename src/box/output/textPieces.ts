/** In one event: what reads them takes no longer strings. */
const MOST_CHARACTERS = 8 * 1024;

/** What is printed at once, in as many pieces as there are to be events of it. */
export function* textPieces(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += MOST_CHARACTERS) yield text.slice(at, at + MOST_CHARACTERS);
}
