/** An address for a log or a journal: without what makes a link a key. */
export const withoutPreview = (url: string): string => url.replace(/^(\/preview\/[^/]*\/)[^/?]+/, '$1…');
