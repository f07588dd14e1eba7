/**
 * `host:port`, `[::1]:9000` or a URL without path, as an origin: `http://127.0.0.1:9000`. Without a scheme it takes
 * `scheme`, where one is given. Undefined for anything else, user and password included.
 */
export function parseOrigin(text: string, scheme: 'http' | 'https' | undefined): string | undefined {
  const hasScheme = text.includes('://');
  if (!hasScheme && scheme === undefined) return undefined;
  const address = hasScheme ? text : `${scheme}://${text}`;
  if (!/^https?:\/\/[^/?#\\@\s]+\/?$/i.test(address) || !URL.canParse(address)) return undefined;
  return new URL(address).origin;
}
