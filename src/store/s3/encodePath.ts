/** RFC 3986, which signatures are made over: JavaScript leaves five characters more as they are. */
export function encodePath(key: string): string {
  return key.split('/').map(encodeQueryPart).join('/');
}

export function encodeQueryPart(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
