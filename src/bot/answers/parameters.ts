/** How much may follow the `?` of what is sent on, in bytes. */
export const MAX_QUERY_STRING_BYTES = 8 * 1024;

export interface Target {
  /** Path as the client wrote it. */
  readonly path: string;
  /** Without the `?`. */
  readonly queryString: string;
}

/**
 * Path and query string of a request's target, or undefined for what names no path (`*`). The absolute form
 * (`http://host/path`) is what proxies are sent; only its path counts. Nothing is decoded or made shorter: what `//` and
 * `%2e%2e` mean is the program's to say.
 */
export function parseTarget(url: string): Target | undefined {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(url);
  const rest = absolute === null ? url : url.slice(absolute[0].length);
  if (absolute === null && !rest.startsWith('/')) return undefined;
  const target = encodeUnsafe(rest.split('#', 1)[0]!);
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target || '/', queryString: '' };
  return { path: target.slice(0, mark) || '/', queryString: target.slice(mark + 1) };
}

/** Bytes that may not stand in a request line (Node gives one character for each). */
function encodeUnsafe(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, (char) =>
    char > '\xff'
      ? encodeURIComponent(char.toWellFormed())
      : `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** The query string with the body's values instead of its own where both have one. */
export function mergeParameters(queryString: string, body: Readonly<Record<string, unknown>>): string {
  const ownPairs = queryString.split('&').filter((pair) => pair !== '' && !Object.hasOwn(body, nameOf(pair)));
  const bodyPairs = Object.entries(body).map(
    ([name, value]) => `${encode(name)}=${encode(parameterText(value))}`,
  );
  return [...ownPairs, ...bodyPairs].join('&');
}

/** The parameters of a query string as an object; of a name given twice the first counts, as in the SDKs. */
export function parseParameters(queryString: string): Record<string, string> {
  const pairs = [...new URLSearchParams(queryString)];
  return Object.fromEntries(pairs.reverse());
}

/** Strings as they are, anything else as JSON. */
export function parameterText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function nameOf(pair: string): string {
  return new URLSearchParams(pair).keys().next().value ?? '';
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
