import type { ObjectInfo } from '../objectStore.ts';

/**
 * The few answers of S3's that have a body hold flat elements with escaped text, so patterns read them exactly; a
 * parser would cost every bot's start several milliseconds.
 */
export function textOf(xml: string, element: string): string | undefined {
  const match = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml);
  return match?.[1] === undefined ? undefined : unescapeXml(match[1]);
}

export interface ListPage {
  readonly objects: ObjectInfo[];
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

/** Undefined when this is not a listing, or one that lacks what it must have. */
export function parseListPage(xml: string): ListPage | undefined {
  const truncated = textOf(xml, 'IsTruncated');
  const next = textOf(xml, 'NextContinuationToken');
  if (!xml.includes('</ListBucketResult>') || truncated === undefined) return undefined;
  if (truncated === 'true' && !next) return undefined;
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, contents = '']) =>
    parseObject(contents),
  );
  if (!objects.every((object) => object !== undefined)) return undefined;
  return { objects, next: truncated === 'true' ? next : undefined };
}

function parseObject(contents: string): ObjectInfo | undefined {
  const key = textOf(contents, 'Key');
  const size = Number(textOf(contents, 'Size') ?? Number.NaN);
  const etag = textOf(contents, 'ETag');
  const modified = Date.parse(textOf(contents, 'LastModified') ?? '');
  if (!key || !etag || Number.isNaN(size) || Number.isNaN(modified)) return undefined;
  return { key: decodeKey(key), size, etag: quoted(etag), modified };
}

/** Keys in listings are asked for URL-encoded: XML cannot hold every character. */
export function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}

/**
 * One spelling of a tag: headers always have the quotes, bodies only sometimes. A proxy that packs answers calls the tags in them weak; the
 * store behind it knows the tag itself only.
 */
export function quoted(etag: string): string {
  const tag = etag.startsWith('W/') ? etag.slice(2) : etag;
  return tag.startsWith('"') ? tag : `"${tag}"`;
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return named[name] ?? whole;
  });
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
